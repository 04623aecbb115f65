"""What makes no sense fails for itself: the run goes on, says so, and is measured in every case."""

from collections.abc import Sequence
from typing import Any

import pytest

from grant_broker.aws.store import Store
from grant_broker.domain.errors import DatabaseRefused, Unavailable
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Status
from grant_broker.reconcile.plan import Planner
from tests.support.records import EXPIRES, KEY, Scene, before_intent, grant, key, request

_OTHER_KEY = f"{KEY}-other"
_SECOND = grant(grant_id="g2", name=grant_name("f" * 32, EXPIRES))


def test_a_key_that_cannot_be_read(scene: Scene) -> None:
    """Its grants are not judged, and those on other keys are."""
    scene.put(key(key_arn=_OTHER_KEY))
    broken = {
        "pk": {"S": f"key#{_OTHER_KEY}"},
        "sk": {"S": "key"},
        "kind": {"S": "key"},
        "listed_at": {"S": "1"},
    }
    scene.client.put_item(TableName="approvals", Item=broken)
    report = scene.run(grant(key_arn=_OTHER_KEY), _SECOND)
    assert (report.drift, report.complete) == (1, False)
    assert report.failed > 0
    assert scene.request("f" * 32).status == Status.ENDING
    assert scene.metrics["LiveGrants"] == scene.metrics["DriftFound"] == 1
    assert "Heartbeat" not in scene.metrics


@pytest.mark.parametrize("error", [ValueError, OverflowError, TypeError, KeyError])
@pytest.mark.parametrize("method", ["plan_grants", "plan_records"])
def test_one_of_many(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, error: type[Exception], method: str
) -> None:
    """One grant or record that cannot be judged hides none of those that are judged together with it."""
    real = getattr(Planner, method)

    def plan(self: Planner, page: Sequence[Any], *rest: Any) -> Any:
        if any(getattr(each, "grant_id", None) == "g2" for each in page):
            raise error("no sense")
        return real(self, page, *rest)

    lost = {"due": None, "action": None}
    records = [before_intent(Status.PENDING, id=f"{n:032x}", grant_id=name, **lost)
               for n, name in enumerate(("g1", "g2", "g3"))]  # fmt: skip
    scene.put(*records)
    monkeypatch.setattr(Planner, method, plan)
    strays = [grant(), _SECOND, grant(grant_id="g3", name=grant_name("e" * 32, EXPIRES))]
    report = scene.run(*(strays if method == "plan_grants" else []))
    assert report.failed == 1
    if method == "plan_grants":
        assert (report.drift, scene.store.find_request("f" * 32)) == (2, None)
    else:
        assert [scene.request(record.id).due is None for record in records] == [False, True, False]
    assert "Heartbeat" not in scene.metrics


def test_what_the_database_refuses(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that DynamoDB does not take, being too large or so, keeps no other from being written."""
    real = Store.commit

    def commit(self: Store, *changes: Any, **rest: Any) -> None:
        if any(getattr(change.record, "id", None) == "f" * 32 for change in changes):
            raise DatabaseRefused("too large")
        real(self, *changes, **rest)

    monkeypatch.setattr(Store, "commit", commit)
    report = scene.run(grant(), _SECOND)
    assert (report.drift, report.complete) == (1, False)
    assert scene.request().status == Status.ENDING


def test_the_database_gives_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no record can be read the run fails at the end; what it did see is measured."""
    scene.put(request())

    def fail(*_given: Any) -> Any:
        raise Unavailable("busy")

    monkeypatch.setattr(scene.store.database, "get_many", fail)
    with pytest.raises(Unavailable):
        scene.run(grant())
    assert scene.metrics == {"DriftFound": 0, "DebtSeconds": 0, "BreakGlassUnreviewed": 0, "ReviewsDue": 0}


def test_a_fault_of_our_own(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error stops the run, and even then what it found is measured."""
    real = Planner.plan_records

    def plan(self: Planner, *given: Any) -> Any:
        real(self, *given)
        raise AssertionError

    monkeypatch.setattr(Planner, "plan_records", plan)
    scene.put(before_intent(Status.PENDING, due=None, action=None))
    with pytest.raises(AssertionError):
        scene.run(_SECOND)
    assert (scene.metrics["DriftFound"], scene.metrics["LiveGrants"]) == (1, 1)
