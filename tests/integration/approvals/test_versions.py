"""Each version of a key's limits, and the time in which votes cover, are kept in the approval table."""

from datetime import datetime, timedelta

import pytest

from grant_broker.aws.limits_versions import LimitsVersions
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.limits_in_force import LimitsVersion
from grant_broker.reconcile.run import reconcile
from tests.support.scene import START, InProcessStack, time


def _versions(scene: InProcessStack) -> list[LimitsVersion]:
    return LimitsVersions(scene.brokers.broker("reconcile").store.tables).list(scene.key_arn)


def _brief(scene: InProcessStack) -> list[tuple[datetime, int, bool]]:
    return [(v.since, v.document.max_duration, v.withdrawn_at is None) for v in _versions(scene)]


def _reconcile(scene: InProcessStack) -> float:
    return reconcile(scene.brokers.broker("reconcile"), lambda: 240.0).drift


def test_registered_changed_closed_and_opened_again(scene: InProcessStack) -> None:
    """Each keeps a version, from the moment that it took effect."""
    moments = [START + timedelta(hours=hour) for hour in range(4)]
    scene.clock.now = moments[1]
    assert scene.limit(max_duration="PT1H").status == 200
    scene.clock.now = moments[2]
    assert scene.security("DELETE", "").status == 204
    scene.clock.now = moments[3]
    assert scene.limit(max_duration="PT2H").status == 201
    assert _brief(scene) == [
        (moments[0], 8 * 3600, True),
        (moments[1], 3600, True),
        (moments[2], 3600, False),
        (moments[3], 2 * 3600, True),
    ]
    key = scene.brokers.broker("approvals").store.get_key(scene.key_arn)
    assert _versions(scene)[-1].number == key.limits_version


def test_a_vote_that_changes_nothing_keeps_nothing(scene: InProcessStack) -> None:
    """A document that waits for more votes is no version, and one sent again is none either."""
    assert scene.limit(quorum=2).status == 200
    assert scene.limit(quorum=2).status == 200
    assert scene.limit(max_duration="PT1H", quorum=2).status == 202
    assert len(_versions(scene)) == 2
    assert scene.limit("bob", max_duration="PT1H", quorum=2).status == 200
    assert [v.document.max_duration for v in _versions(scene)] == [8 * 3600, 8 * 3600, 3600]


@pytest.mark.parametrize("closes", [False, True])
def test_a_key_of_an_earlier_release(scene: InProcessStack, *, closes: bool) -> None:
    """With its first change what it was before is kept as well, as of its beginning; no other change is."""
    [only] = _versions(scene)
    version = {"pk": {"S": f"key#{scene.key_arn}"}, "sk": {"S": f"version#{only.number:06d}"}}
    scene.tables.delete_item(TableName=scene.deployment.approval_table, Key=version)
    scene.clock.advance(hours=1)
    if closes:
        assert scene.security("DELETE", "").status == 204
    else:
        assert scene.limit(max_duration="PT1H").status == 200
    changed = START + timedelta(hours=1)
    assert _brief(scene) == [
        (START, 8 * 3600, True), (changed, 8 * 3600 if closes else 3600, not closes),
    ]  # fmt: skip


def test_a_lowered_max_duration_ends_no_longer_grant(scene: InProcessStack) -> None:
    """It is no drift, and ends in its time; what is asked for since then is bound by it."""
    request_id = scene.active(duration="PT2H")
    scene.clock.advance(minutes=10)
    assert scene.limit(max_duration="PT1H").status == 200
    assert _reconcile(scene) == 0
    assert scene.status(request_id) == Status.ACTIVE
    assert scene.submit(duration="PT2H").status == 400


def test_votes_are_kept_with_their_deadline(scene: InProcessStack) -> None:
    """From the request's start to its take-up deadline, written with the vote that completes the quorum."""
    store = scene.brokers.broker("approvals").store
    assert scene.limit(quorum=2).status == 200
    starts = START + timedelta(hours=3)
    request_id = scene.pending(starts_at=time(starts))
    scene.decide(request_id, "alice")
    waiting = store.find_votes(request_id)
    assert waiting
    assert (waiting.valid_from, waiting.valid_until) == (starts, None)
    scene.decide(request_id, "bob")
    agreed = store.find_votes(request_id)
    assert agreed
    assert agreed.valid_until == scene.request(request_id).take_up_by == starts + timedelta(days=1)
    scene.clock.now = starts
    assert scene.take_up(request_id).status == 201
    assert _reconcile(scene) == 0
