"""Reconcile keeps its place: what does not fit one run is seen by the next, and the overdue meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.errors import KmsRefused, KmsUncertain, Unavailable
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.passes import GrantsPlace, RecordsPlace
from grant_broker.reconcile import records
from grant_broker.reconcile.run import Report, reconcile
from tests.support.records import EXPIRES, GRANTEE, ID, KEY, NOW, Scene, before_intent, grant, request, votes

_OVERDUE = NOW - timedelta(minutes=3)


def strays(count: int) -> list[ListedGrant]:
    """Grants that nobody approved, as the listing orders them."""
    return [grant(grant_id=f"g{n}", name=grant_name(f"{n:032x}", EXPIRES)) for n in range(count)]


def _seconds(*left: float, then: float = 240.0) -> Callable[[], float]:
    given = iter(left)
    return lambda: next(given, then)


def _run(scene: Scene, grants: list[ListedGrant], remaining: Callable[[], float]) -> Report:
    scene.kms.grants, scene.kms.calls = grants, 0
    scene.metrics.clear()
    return reconcile(scene.broker, remaining)


def _pages(number: int) -> Callable[[], float]:
    """Time for so many pages of the grants, and for nothing after them."""
    return _seconds(*[240.0] * (number + 1), then=0.0)


def _ending(scene: Scene) -> list[int]:
    """The numbers of the strays that are put to their end."""
    ids = [
        item["pk"]["S"].removeprefix("request#") for item in scene.client.scan(TableName="requests")["Items"]
    ]
    return sorted({int(name, 16) for name in ids if not name.startswith("reconcile")})


def test_goes_on_where_it_stopped(scene: Scene) -> None:
    """Three runs with time for two pages each see five pages, and only then is the pass over."""
    scene.kms.size = 2
    grants = strays(10)
    found = []
    for _ in range(3):
        report = _run(scene, grants, _pages(2))
        found.append((_ending(scene), report.drift, "LiveGrants" in scene.metrics))
    assert found == [([0, 1, 2, 3], 4, False), ([*range(8)], 4, False), ([*range(10)], 2, True)]
    assert scene.metrics["LiveGrants"] == 10
    assert scene.store.places.get(GrantsPlace()).marker is None
    _run(scene, grants, _pages(1))
    assert scene.store.places.get(GrantsPlace()).marker == "2"


def test_overdue_is_measured_meanwhile(scene: Scene) -> None:
    """Each run tells what the pass has seen so far of grants past their end."""
    scene.kms.size = 1
    late = [grant(grant_id=f"g{n}", name=grant_name(f"{n:032x}", _OVERDUE)) for n in range(2)]
    grants = [late[0], *strays(5)[2:3], late[1], *strays(6)[3:5]]
    seen = []
    for _ in range(3):
        _run(scene, grants, _pages(1))
        seen.append((scene.metrics["OverdueGrants"], scene.metrics["OldestOverdueSeconds"]))
    assert seen == [(1, 180), (1, 180), (2, 180)]


def test_no_record_is_missed_by_half_a_listing(scene: Scene) -> None:
    """A pass that goes on in another run says of no grant that it is gone: it was seen by the run before."""
    scene.put(request(grant_id="g0"), votes(request()))
    scene.kms.size = 1
    grants = [grant(grant_id="g0"), *strays(3)[1:]]

    def out_of_time_for_keys() -> Callable[[], float]:
        return _seconds(*[240.0] * 2, then=30.0)

    for _ in range(6):
        _run(scene, grants, out_of_time_for_keys())
        assert scene.request().missing_since is None


def test_a_marker_that_kms_does_not_take(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the marker of an earlier run holds no more, the pass begins again, and counts from nothing."""
    scene.kms.size = 2
    _run(scene, strays(5), _pages(2))
    real = scene.kms.list_retirable_page

    def refuse(principal: str, region: str, *, marker: str | None = None) -> Any:
        if marker == "4":
            raise KmsRefused("InvalidMarkerException", "no such marker")
        return real(principal, region, marker=marker)

    monkeypatch.setattr(scene.kms, "list_retirable_page", refuse)
    _run(scene, strays(4), _pages(5))
    assert scene.metrics["LiveGrants"] == 4
    assert _ending(scene) == [0, 1, 2, 3]


def test_any_other_refusal(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A right that lacks is no marker's fault: the place stays, and the run fails aloud."""
    scene.kms.size = 2
    _run(scene, strays(5), _pages(1))

    def refuse(_principal: str, _region: str, *, marker: str | None = None) -> Any:
        del marker
        raise KmsRefused("AccessDeniedException", "no")

    monkeypatch.setattr(scene.kms, "list_retirable_page", refuse)
    with pytest.raises(KmsRefused):
        _run(scene, strays(5), _seconds())
    assert scene.store.places.get(GrantsPlace()).marker == "2"
    # By the key's own listing: those that are found, and those that live on.
    assert scene.metrics["DriftFound"] == 5


def test_kms_gives_out_midway(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was judged before KMS stopped answering is behind; the next run goes on after it."""
    scene.kms.size = 2
    real = scene.kms.list_retirable_page

    def fail(principal: str, region: str, *, marker: str | None = None) -> Any:
        if marker == "2":
            raise KmsUncertain("ThrottlingException", "slow down")
        return real(principal, region, marker=marker)

    monkeypatch.setattr(scene.kms, "list_retirable_page", fail)
    with pytest.raises(KmsUncertain):
        _run(scene, strays(6), _pages(9))
    place = scene.store.places.get(GrantsPlace())
    assert (place.marker, place.count.live, scene.metrics["OverdueGrants"]) == ("2", 2, 0)
    monkeypatch.undo()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    _run(scene, strays(6), _pages(9))
    assert (scene.metrics["LiveGrants"], _ending(scene)) == (6, [*range(6)])


def test_a_key_s_listing_goes_on(scene: Scene) -> None:
    """One key's many grants of others are counted over several runs, and told once."""
    scene.kms.size = 2
    grants = [grant(grant_id=f"o{n}", retiring_principal=GRANTEE) for n in range(7)]
    for _ in range(2):
        # One page of the (empty) grants, then one of the key's.
        _run(scene, grants, _seconds(*[240.0] * 2, *[100.0] * 2, then=0.0))
        assert scene.events(f"reconcile#{KEY}") == []
    _run(scene, grants, _seconds())
    [event] = scene.events(f"reconcile#{KEY}")
    assert event.detail["grants"] == 7


@contextmanager
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(records, "PAGE", 1)
        yield


def test_records_go_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that are off the agenda are put back, as many in each run as there is time for."""
    lost = {"due": None, "action": None}
    scene.put(*(before_intent(Status.PENDING, id=f"{n:032x}", **lost) for n in range(3)))
    scene.put(before_intent(Status.APPROVED, id="a" * 32, **lost))
    found = []
    with _small_pages(monkeypatch):
        for _ in range(6):
            report = _run(scene, [], _seconds(*[240.0] * 4, 25.0, 25.0, then=0.0))
            ids = [*(f"{n:032x}" for n in range(3)), "a" * 32]
            found.append((sum(scene.request(name).due is not None for name in ids), report.complete))
            if report.complete:
                break
    assert [count for count, _ in found] == sorted(count for count, _ in found)
    assert found[0][0] < 4
    assert found[-1] == (4, True)
    assert scene.store.places.get(RecordsPlace()).marker is None


def test_only_a_whole_pass_tells_how_many_are_out_of_sight(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether all grants are out of sight is said by a run that saw all records."""
    scene.put(request(), votes(request()), before_intent(Status.PENDING, id="a" * 32))
    hidden = [grant(retiring_principal="AROADELETEDEXPIRYROLE")]
    with _small_pages(monkeypatch):
        _run(scene, hidden, _seconds(*[240.0] * 4, 25.0, then=0.0))
    for _ in range(2):
        assert "GrantsOutOfSight" not in scene.metrics
        _run(scene, hidden, _seconds())
    assert scene.metrics["GrantsOutOfSight"] == 1


def test_a_place_that_cannot_be_stored(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run counts it as failed, gives no heartbeat, and the next one begins at the same place."""

    def busy(_items: object) -> None:
        raise Unavailable("busy")

    with monkeypatch.context() as patched:
        patched.setattr(scene.store.database, "transact", busy)
        # Of both passes, of the ends ahead, and of the looks that are owed.
        assert scene.run().failed == 4
    assert "Heartbeat" not in scene.metrics
    assert scene.run().complete
    assert scene.store.find_request(ID) is None
