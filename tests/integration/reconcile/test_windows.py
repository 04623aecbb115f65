"""An approval covers what was made in its time, by KMS's word and never by the record's."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.approvals import Approval
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.windows import Window
from tests.support.records import (
    ACCOUNT,
    CREATED,
    ID,
    NOW,
    Scene,
    before_intent,
    grant,
    key,
    request,
    standing,
    vote,
    votes,
)  # fmt: skip

DAY = timedelta(days=1)
OLD = {"created_at": CREATED - 2 * DAY, "starts_at": CREATED - 2 * DAY, "intent_at": CREATED - 2 * DAY}


def _judged(scene: Scene, record: GrantRequest, approval: Approval, **shown: Any) -> Status:
    scene.put(key(), record, approval)
    scene.run(grant(**shown))
    return scene.request().status


@pytest.mark.parametrize(
    ("window", "status"),
    [
        ({"valid_until": CREATED - timedelta(seconds=31)}, Status.ENDING),
        ({"valid_until": CREATED - timedelta(seconds=29)}, Status.ACTIVE),
        ({"unreviewed_after": CREATED - timedelta(seconds=31)}, Status.ENDING),
        ({"unreviewed_after": CREATED - timedelta(seconds=29)}, Status.ACTIVE),
        ({"valid_from": CREATED + timedelta(seconds=11)}, Status.ENDING),
        ({"valid_from": CREATED + timedelta(seconds=9)}, Status.ACTIVE),
        ({"valid_from": CREATED - timedelta(seconds=4), "valid_until": CREATED - timedelta(seconds=2)},
         Status.ACTIVE),
    ],
)  # fmt: skip
def test_a_standing_approval_s_window(scene: Scene, window: dict[str, Any], status: Status) -> None:
    """Of a grant that was made outside it the record may say what it likes. Clocks may differ by 10 s, and
    an intent may be 20 s older than its grant."""
    forged = request(approval="standing-1", **OLD)
    assert _judged(scene, forged, standing(**{"valid_from": CREATED - DAY, **window})) == status


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (timedelta(seconds=-11), Status.ENDING),
        (timedelta(seconds=-9), Status.ACTIVE),
        (timedelta(minutes=20), Status.ACTIVE),
        (timedelta(minutes=20, seconds=29), Status.ACTIVE),
        (timedelta(minutes=20, seconds=31), Status.ENDING),
    ],
)
def test_votes_cover_until_the_take_up_deadline(scene: Scene, made: timedelta, status: Status) -> None:
    """From the last vote on, whatever the record says of either."""
    agreed = votes(request(), valid_from=CREATED - DAY, valid_until=CREATED + timedelta(minutes=20))
    forged = request(take_up_by=NOW + DAY)
    assert _judged(scene, forged, agreed, created_at=CREATED + made) == status


def test_the_last_of_several_votes(scene: Scene) -> None:
    """A grant made after the first of two votes and before the second was not covered."""
    digest = request().digest
    second = vote(digest, "bob").model_copy(update={"at": CREATED + timedelta(minutes=5)})
    agreed = votes(request(), votes=(vote(digest), second))
    assert _judged(scene, request(), agreed) == Status.ENDING


@pytest.mark.parametrize(
    ("made", "starts_at", "status"),
    [
        (DAY, None, Status.ACTIVE),
        (DAY + timedelta(seconds=31), None, Status.ENDING),
        (2 * DAY, CREATED + DAY, Status.ACTIVE),
        (2 * DAY + timedelta(seconds=31), CREATED + DAY, Status.ENDING),
        (DAY - timedelta(seconds=11), CREATED + DAY, Status.ENDING),
    ],
)
def test_votes_of_an_earlier_release(scene: Scene, made: timedelta, starts_at: Any, status: Status) -> None:
    """They hold no deadline: it is as long after the last vote, or `starts_at`, as the setting says now."""
    record = request(starts_at=starts_at)
    name = f"grant-broker/{ID}/{int((CREATED + made + timedelta(hours=2)).timestamp())}"
    record = record.model_copy(update={"expires_at": CREATED + made + timedelta(hours=2)})
    scene.now = CREATED + made + timedelta(minutes=1)
    assert _judged(scene, record, votes(record), created_at=CREATED + made, name=name) == status


def test_a_forged_start_covers_nothing(scene: Scene) -> None:
    """The votes' digest is of another request then."""
    forged = request(starts_at=CREATED + DAY)
    assert _judged(scene, forged, votes(request()), created_at=CREATED + DAY) == Status.ENDING


@pytest.mark.parametrize("changes", [{"reason": "another reason"}, {"requester_person": "somebody"}])
def test_a_forged_name_of_kms_hides_no_other_content(scene: Scene, changes: dict[str, Any]) -> None:
    """A record that says that it was adopted is compared with what was voted on like any other."""
    forged = request(kms_name=grant().name, **changes)
    assert _judged(scene, forged, votes(request())) == Status.ENDING
    assert "not what was approved" in str(scene.request().end_reason)


@pytest.mark.parametrize("approval", [votes(request()), standing()])
def test_an_adopted_grant_stays_in_order(scene: Scene, approval: Approval) -> None:
    """What reconcile itself made a record for is judged by KMS and the approval alone, run after run."""
    scene.put(key(), approval)
    assert scene.run(grant()).drift == 1
    for _ in range(2):
        assert scene.run(grant()).drift == 0
    assert scene.request().status == Status.ACTIVE


def test_a_record_that_caught_up_stays_in_order(scene: Scene) -> None:
    """A restored one still holds what was voted on."""
    waiting = before_intent(Status.APPROVED)
    scene.put(key(), waiting, votes(waiting))
    scene.run(grant())
    assert scene.run(grant()).drift == 0
    assert (scene.request().status, scene.request().account) == (Status.ACTIVE, ACCOUNT)


@pytest.mark.parametrize(
    ("hours", "made", "status"),
    [
        # 11:30 until 13:30, the end in its name.
        ("11:30-13:30", timedelta(), Status.ACTIVE),
        ("11:00-13:29", timedelta(), Status.ENDING),
        ("11:30-13:30", timedelta(seconds=-9), Status.ACTIVE),
        ("11:30-13:30", timedelta(seconds=-11), Status.ENDING),
        ("13:00-13:30", timedelta(), Status.ENDING),
    ],
)
def test_a_recurring_window(scene: Scene, hours: str, made: timedelta, status: Status) -> None:
    """A grant lives on if it began and ends within one, by KMS's time and its own Name; clocks may differ."""
    since, _, until = hours.partition("-")
    hours_ = {"days": ["sun"], "from": since, "to": until, "time_zone": "UTC"}
    approval = standing(windows=(Window.model_validate(hours_),), valid_from=CREATED - DAY)
    record = request(approval="standing-1")
    assert _judged(scene, record, approval, created_at=CREATED + made) == status


def test_a_window_and_a_grant_of_seconds(scene: Scene) -> None:
    """Of what lives for less than clocks may differ its last second is judged."""
    end = CREATED + timedelta(seconds=5)
    for since, status in (("11:30", Status.ACTIVE), ("11:31", Status.ENDING)):
        hours = {"days": ["sun"], "from": since, "to": "12:00", "time_zone": "UTC"}
        approval = standing(windows=(Window.model_validate(hours),), valid_from=CREATED - DAY)
        record = request(approval="standing-1", expires_at=end, duration=5)
        assert _judged(scene, record, approval, name=grant_name(ID, end)) == status
