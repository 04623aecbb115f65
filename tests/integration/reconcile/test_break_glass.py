"""Which live grants break-glass covers: by the key's limits of then, and by what was counted of the day."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from grant_broker.domain.break_glass import BrokenGlass
from grant_broker.domain.glass_evidence import GlassSeen
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.uses import Use
from tests.support.limits import break_glass
from tests.support.records import ACCOUNT, CREATED, GRANTEE, KEY, NOW, Scene, grant, key, request

ENDS = CREATED + timedelta(minutes=45)
OTHER = "f" * 32


def _glass(at: datetime = CREATED) -> BrokenGlass:
    return BrokenGlass(by=GRANTEE, person="p", reason="outage", at=at)


def _request(number: int = 1, at: datetime = CREATED, **changes: Any) -> GrantRequest:
    """A request that was granted by break-glass, for three quarters of an hour."""
    ends = at + timedelta(minutes=45)
    times = {"created_at": at, "intent_at": at, "issued_at": at, "expires_at": ends}
    given = {"id": f"{number:032x}", "grant_id": f"g{number}", "broken_glass": _glass(at), **times}
    return request(**{**given, "due": int(ends.timestamp()), "duration": 2700, **changes})


def _grant(number: int = 1, at: datetime = CREATED, **changes: Any) -> ListedGrant:
    given = {"name": grant_name(f"{number:032x}", at + timedelta(minutes=45)), "grant_id": f"g{number}"}
    return grant(**{**given, "created_at": at, **changes})


def _arm(scene: Scene, **changes: Any) -> None:
    scene.put(key(break_glass=break_glass(GRANTEE, **{"max_duration": "PT45M", "per_day": 1, **changes})))


def _status(scene: Scene, number: int = 1) -> Status:
    return scene.request(f"{number:032x}").status


def test_covered(scene: Scene) -> None:
    """A grant that nobody approved lives where the key's break-glass allows it, run after run."""
    _arm(scene)
    scene.put(_request())
    for _ in range(2):
        assert scene.run(_grant()).drift == 0
        assert _status(scene) == Status.ACTIVE


def test_without_a_record(scene: Scene) -> None:
    """It is adopted, to end at its own time: KMS and the key's limits say enough."""
    _arm(scene)
    scene.run(_grant())
    assert (_status(scene), scene.request(f"{1:032x}").expires_at) == (Status.ACTIVE, ENDS)


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"max_duration": "PT44M"}, "lasts PT44M at most"),
        ({"principals": [f"arn:aws:iam::{ACCOUNT}:role/other"]}, "does not name its grantee"),
        (None, "there is none"),
    ],
)
def test_not_covered(scene: Scene, rules: dict[str, Any] | None, why: str) -> None:
    """What outlasts it, another grantee's, and one on a key without break-glass ends, with drift."""
    if rules is None:
        scene.put(key())
    else:
        _arm(scene, **rules)
    scene.put(_request())
    assert scene.run(_grant()).drift == 1
    assert (_status(scene), why in str(scene.request(f"{1:032x}").end_reason)) == (Status.ENDING, True)


def test_outside_the_keys_other_limits(scene: Scene) -> None:
    """Break-glass excuses from votes, and from nothing else: it takes none of the day's."""
    _arm(scene)
    scene.put(key(break_glass=break_glass(GRANTEE, max_duration="PT45M"), operations=["DescribeKey"]))
    scene.put(_request())
    scene.run(_grant())
    assert "not offered" in str(scene.request(f"{1:032x}").end_reason)
    assert scene.store.places.get(GlassSeen(key_arn=KEY, days="2026-03-01")).grant_ids == ()


def test_more_than_a_day_s(scene: Scene) -> None:
    """Of too many those end that were seen last; a later run changes nothing of it."""
    _arm(scene, per_day=2)
    scene.put(*(_request(number) for number in (1, 2, 3)))
    assert scene.run(_grant(1), _grant(2), _grant(3)).drift == 1
    scene.run(_grant(3), _grant(2), _grant(1))
    assert [_status(scene, number) for number in (1, 2, 3)] == [Status.ACTIVE, Status.ACTIVE, Status.ENDING]
    assert "used 2 times that day" in str(scene.request(f"{3:032x}").end_reason)


def test_one_after_the_other(scene: Scene) -> None:
    """One that was seen alive counts for its day, whatever whoever writes records says of it since."""
    _arm(scene)
    scene.put(_request(1))
    scene.run(_grant(1))
    gone = scene.request(f"{1:032x}").model_copy(
        update={"broken_glass": None, "status": Status.EXPIRED, "version": 1}
    )
    scene.put(gone, _request(2, CREATED + timedelta(minutes=20)))
    scene.run(_grant(2, CREATED + timedelta(minutes=20)))
    assert _status(scene, 2) == Status.ENDING


@pytest.mark.parametrize("ids", [("g9",), ()], ids=["its id known", "its id unknown"])
def test_used_ones_count(scene: Scene, ids: tuple[str, ...]) -> None:
    """One that ended before it was ever seen counts by the mark of `expiry`."""
    _arm(scene)
    ended = _request(9, CREATED - timedelta(hours=1))
    use = Use(request_id=ended.id, at=CREATED, key_arn=KEY, grant_ids=ids)
    scene.store.database.transact(scene.store.glass.mark_used(ended, use))
    scene.put(_request(1))
    scene.run(_grant(1))
    assert _status(scene, 1) == Status.ENDING


def test_nothing_is_marked_of_others(scene: Scene) -> None:
    """The end of a grant that was approved counts for no day."""
    use = Use(request_id=OTHER, at=CREATED)
    assert scene.store.glass.mark_used(request(), use) == []


def test_each_day_has_its_own(scene: Scene) -> None:
    """Days are UTC's; at midnight, where either may have counted it, a grant is not refused for one's."""
    _arm(scene)
    midnight = NOW.replace(hour=0, minute=0)
    after = [timedelta(minutes=-5), timedelta(seconds=5), timedelta(minutes=5), timedelta(seconds=6)]
    times = list(enumerate((midnight + each for each in after), start=1))
    scene.put(*(_request(number, at) for number, at in times))
    scene.now = midnight + timedelta(minutes=8)
    scene.run(*(_grant(number, at) for number, at in times))
    assert [_status(scene, number) for number, _ in times] == [*[Status.ACTIVE] * 3, Status.ENDING]


def test_no_time_to_count_reviews(scene: Scene) -> None:
    """A run that is out of time counts none, rather than some: the alarm stays as it was."""
    scene.left = 5.0
    assert not scene.run().complete
    assert "BreakGlassUnreviewed" not in scene.metrics
