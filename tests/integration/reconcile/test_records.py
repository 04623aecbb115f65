"""From the records to KMS: what reconcile does about requests whose grant is gone or forgotten."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.aws.store import Store
from grant_broker.domain.errors import Stale, Unavailable
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Action, Status
from tests.support.records import (
    EXPIRES,
    ID,
    NOW,
    Scene,
    agenda,
    before_intent,
    grant,
    key,
    request,
    votes,
)

NOON = int(NOW.timestamp())


def later(scene: Scene) -> None:
    """Five minutes pass."""
    scene.now += timedelta(minutes=5)


def test_vanished(scene: Scene) -> None:
    """A request whose grant is missing in two runs is for `expiry` to look at, which closes it or not."""
    scene.put(request())
    assert scene.run().drift == 0
    assert (scene.request().status, scene.request().missing_since) == (Status.ACTIVE, NOW)
    later(scene)
    assert scene.run().drift == 1
    ending = scene.request()
    assert (ending.status, ending.end_as, ending.grant_id) == (Status.ENDING, Status.REVOKED, "g1")
    assert ending.end_reason == "KMS does not list the grant any more"
    assert (ending.action, ending.due) == (Action.END, NOON + 300)
    assert [event.type for event in scene.events()] == ["ending"]
    later(scene)
    assert scene.run().drift == 0
    assert scene.request() == ending


def test_ending_vanished(scene: Scene) -> None:
    """What is to end is on the agenda: that it is gone is for `expiry` to find out."""
    ending = request(
        status=Status.ENDING, end_as=Status.RELEASED, end_reason="done", **agenda(Action.END, NOW)
    )
    scene.put(ending)
    for _ in range(3):
        assert scene.run().drift == 0
        later(scene)
    assert scene.request() == ending


def test_all_out_of_sight(scene: Scene) -> None:
    """Where KMS lists none of the grants that should be there, their number is told; one is enough."""
    other = request(id="f" * 32, grant_id="g2", status=Status.ENDING)
    young = request(id="e" * 32, grant_id="g3", issued_at=NOW - timedelta(minutes=5))
    scene.put(request(), other, young, votes(request()))
    scene.run()
    assert (scene.metrics["LiveGrants"], scene.metrics["GrantsOutOfSight"]) == (0, 2)
    scene.run(grant())
    assert (scene.metrics["LiveGrants"], scene.metrics["GrantsOutOfSight"]) == (1, 0)


def test_nothing_to_see(scene: Scene) -> None:
    """Without records of grants there is nothing to miss, whatever else is open."""
    scene.put(before_intent(Status.PENDING), request(id="f" * 32, status=Status.ISSUING))
    scene.run()
    assert (scene.metrics["LiveGrants"], scene.metrics["GrantsOutOfSight"]) == (0, 0)


def test_seen_again(scene: Scene) -> None:
    """A grant that shows up again between two runs was never missing."""
    scene.put(key(), request(missing_since=NOW - timedelta(minutes=5)), votes(request()))
    scene.run(grant())
    assert (scene.request().status, scene.request().missing_since) == (Status.ACTIVE, None)


def test_not_shown_yet(scene: Scene) -> None:
    """KMS may take five minutes to show a new grant."""
    scene.put(request(issued_at=NOW - timedelta(minutes=5)))
    scene.run()
    assert scene.request().missing_since is None


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (Status.PENDING, Action.LAPSE),
        (Status.APPROVED, Action.LAPSE),
        (Status.ISSUING, Action.SETTLE),
        (Status.ENDING, Action.END),
        (Status.ACTIVE, Action.END),
    ],
)
def test_forgotten(scene: Scene, status: Status, action: Action) -> None:
    """A request that is not final and not on the agenda is put there."""
    fresh = {"issued_at": NOW, "action": None, "due": None}
    made = before_intent if status in {Status.PENDING, Status.APPROVED} else request
    scene.put(made(status=status, **fresh) if made is request else before_intent(status, **fresh))
    scene.run()
    assert scene.request().action == action
    assert scene.request().due is not None


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({"due": None, "action": None}, int(EXPIRES.timestamp())),
        ({"due": int(EXPIRES.timestamp()) + 1}, int(EXPIRES.timestamp())),
        ({"status": Status.ENDING, "due": NOON + 121}, NOON),
        ({"status": Status.ENDING, "due": NOON + 120}, NOON + 120),
    ],
)
def test_agenda_in_time(scene: Scene, changes: dict[str, Any], due: int) -> None:
    """The agenda names a live grant's end no later than its expiry, or soon, whatever its back-off."""
    scene.put(key(), request(**changes), votes(request()))
    scene.run(grant())
    assert scene.request().due == due


def test_unreadable_suspect(scene: Scene) -> None:
    """A record that cannot be read does not stop the run."""
    item = {"id": ID, "pk": f"request#{ID}", "sk": "request", "status": "active", "listed_at": "1"}
    scene.client.put_item(TableName="requests", Item={name: {"S": text} for name, text in item.items()})
    assert scene.run().complete


def test_out_of_time(scene: Scene) -> None:
    """A run that stops before its time limit claims nothing that it has not seen."""
    scene.put(request())
    scene.left = 19.0
    assert not scene.run(grant()).complete
    assert scene.metrics == {"DriftFound": 0, "DebtSeconds": 0, "BreakGlassUnreviewed": 0, "ReviewsDue": 0}
    assert not scene.run().complete
    assert "Heartbeat" not in scene.metrics
    assert scene.request() == request()


def test_listing_cut_short(scene: Scene) -> None:
    """A grant is missing only from a listing that came to its end."""
    scene.put(request())
    scene.left = 30.0
    for _ in range(3):
        assert not scene.run(grant(name="by hand", grant_id="g2")).complete
        later(scene)
    assert scene.request() == request()
    assert scene.metrics == {"DriftFound": 0, "DebtSeconds": 0, "BreakGlassUnreviewed": 0, "ReviewsDue": 0}


def _failing(error: Exception, calls: int) -> Any:
    real, left = Store.commit, [calls]

    def commit(self: Store, *changes: Any, **rest: Any) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise error
        real(self, *changes, **rest)

    return commit


def many() -> Sequence[Any]:
    """Two grants that nobody approved."""
    return [grant(), grant(grant_id="g2", name=grant_name("f" * 32, EXPIRES))]


def test_stale(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another writer was first for one record, the others of the same transaction are still written."""
    monkeypatch.setattr(Store, "commit", _failing(Stale("moved"), 2))
    report = scene.run(*many())
    assert scene.store.find_request(ID) is None
    assert scene.request("f" * 32).status == Status.ENDING
    assert (report.complete, report.drift) == (True, 1)


def test_unavailable(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is counted, gives no heartbeat, and is written by the next run."""
    monkeypatch.setattr(Store, "commit", _failing(Unavailable("busy"), 3))
    assert asdict(scene.run(*many()))["failed"] == 3
    assert "Heartbeat" not in scene.metrics
    assert scene.run(*many()).complete


def test_catching_up_stopped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another writer was first for one of several transitions the next one is not tried."""
    waiting = before_intent(Status.PENDING)
    scene.put(waiting, votes(waiting))
    monkeypatch.setattr(Store, "commit", _failing(Stale("moved"), 1))
    scene.run(grant())
    assert scene.request() == waiting
