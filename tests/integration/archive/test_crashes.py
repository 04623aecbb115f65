"""What a crash, a lost answer, another writer or a forger leaves of a request on its way to the archive."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest

from grant_broker.domain.adoption import alive_after_end
from grant_broker.domain.lifecycle import Status
from grant_broker.reconcile.archive import archive_closed
from grant_broker.reconcile.judging import Judging
from tests.local_aws.answers import Response
from tests.local_aws.s3 import Bucket
from tests.support.archive import LATER, archived, broken, failures, is_moving, items, run, withdrawn
from tests.support.faults import GoOn, before, lost, refused
from tests.support.scene import InProcessStack


@pytest.mark.parametrize("answer_lost", ["PutObject", "TransactWriteItems"])
def test_a_lost_answer_changes_nothing(scene: InProcessStack, bucket: Bucket, answer_lost: str) -> None:
    """The next attempt finds what the first has done."""
    request_id = withdrawn(scene)
    scene.clock.now += LATER
    with scene.faults({answer_lost: [lost, None]}, when=is_moving) as met:
        run(scene)
    assert met
    assert len(archived(bucket)) == 1
    assert len(items(scene, request_id)) == 1
    assert broken(scene) == {}


def test_a_crash_between_both_is_made_good(scene: InProcessStack, bucket: Bucket) -> None:
    """The object is there, the tables unchanged: nothing is broken by it, and the next run goes on."""
    request_id = withdrawn(scene)
    scene.clock.now += LATER
    with scene.faults({"TransactWriteItems": refused("AccessDeniedException")}, when=is_moving):
        run(scene)
    assert len(bucket.objects) == 1
    assert scene.status(request_id) == Status.WITHDRAWN
    assert failures(scene) == [1]
    assert broken(scene) == {}
    scene.clock.now += timedelta(minutes=5)
    run(scene)
    assert (len(items(scene, request_id)), failures(scene)) == (1, [1, 0])
    assert len(archived(bucket)) == 1


def test_a_record_that_moved_meanwhile_stays(scene: InProcessStack, bucket: Bucket) -> None:
    """Its object tells the trail as it was: a later pass stores another beside it, and nothing is broken."""
    request_id = withdrawn(scene)
    scene.clock.now += LATER
    expiry = scene.brokers.broker("expiry")

    def note() -> None:
        expiry.store.commit(
            alive_after_end(expiry.store.get_request(request_id), expiry.stamp("expiry"), "late")
        )

    with scene.faults({"TransactWriteItems": [before(note), None]}, when=is_moving):
        run(scene)
    assert len(bucket.objects) == 1
    assert scene.status(request_id) == Status.WITHDRAWN
    assert failures(scene) == [0]
    scene.expire()
    scene.later(400)
    scene.clock.now += LATER
    run(scene)
    assert len(bucket.objects) == 2
    assert len(items(scene, request_id)) == 1
    assert broken(scene) == {}


def test_an_archive_that_refuses_keeps_everything(scene: InProcessStack, bucket: Bucket) -> None:
    """It is told, reconcile's own work is done, and the next run tries again."""
    request_id = withdrawn(scene)
    scene.clock.now += LATER
    for fault in (refused("AccessDenied", 403), refused("InternalError", 500), refused("SlowDown", 503)):
        with scene.faults({"PutObject": fault}):
            run(scene)
        scene.clock.now += timedelta(minutes=5)
    assert failures(scene) == [1, 1, 1]
    assert scene.status(request_id) == Status.WITHDRAWN
    run(scene)
    assert len(bucket.objects) == 1


def test_what_is_not_fit_to_be_kept_stays(scene: InProcessStack, bucket: Bucket) -> None:
    """A broken trail, a record that cannot be read: both are told, and keep no other from the archive."""
    bad, unreadable, good = withdrawn(scene), withdrawn(scene), withdrawn(scene)
    scene.alter(bad, last_hash={"S": "f" * 64})
    scene.alter(unreadable, scope={"S": "nothing"})
    scene.clock.now += LATER
    run(scene)
    assert [kept["record"]["id"] for kept in archived(bucket)] == [good]
    assert failures(scene) == [2]


def test_another_object_under_its_key_is_told(scene: InProcessStack, bucket: Bucket) -> None:
    """Whoever stored something there first cannot have a request leave the tables."""
    first = withdrawn(scene)
    scene.clock.now += LATER
    run(scene)
    [(key, forged)] = bucket.objects.items()
    request_id = withdrawn(scene)
    day = f"{scene.clock.now:%Y/%m/%d}"
    bucket.objects[key.replace(first, request_id).replace("2030/01/01", day)] = forged
    scene.clock.now += LATER
    run(scene)
    assert scene.status(request_id) == Status.WITHDRAWN
    assert failures(scene) == [0, 1]
    assert broken(scene).keys() == {f"request#{request_id}"}


@pytest.mark.usefixtures("bucket")
def test_an_index_that_lags_is_no_failure(scene: InProcessStack) -> None:
    """What it still shows of a request that was moved is passed by."""
    request_id = withdrawn(scene)
    scene.clock.now += LATER
    run(scene)
    tombstone = scene.item(request_id)
    shown = {"status": {"S": "released"}, "listed_at": {"S": "0000000000001#x"}}
    scene.put(scene.deployment.request_table, tombstone | shown)
    scene.clock.now += timedelta(hours=1)
    run(scene)
    assert failures(scene) == [0, 0]


def test_a_trail_too_long_for_one_transaction_stays(
    scene: InProcessStack, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred items are one transaction's most."""
    withdrawn(scene)
    scene.clock.now += LATER
    monkeypatch.setattr("grant_broker.reconcile.archive.MOST_EVENTS", 1)
    run(scene)
    assert not bucket.objects
    assert failures(scene) == [0]


def test_killed_after_any_call(scene: InProcessStack, bucket: Bucket) -> None:
    """Whenever reconcile dies, nothing is broken by it, and the next run has one object and one tombstone."""
    for call in count():
        request_id = withdrawn(scene, duration="PT1H")
        scene.clock.now += LATER
        death = _dies_after(call)
        with scene.faults({"dynamodb": death, "s3": death}) as met:
            judging = Judging(scene.brokers.broker("reconcile"), scene.clock.now)
            with suppress(Death):
                archive_closed(judging, lambda: True)
        assert broken(scene) == {}
        if len(met) <= call:
            break
        archive_closed(Judging(scene.brokers.broker("reconcile"), scene.clock.now), lambda: True)
        assert len(items(scene, request_id)) == 1
        assert sum(request_id in key for key in bucket.objects) == 1
    assert call > 8


class Death(BaseException):
    """The process is gone."""


def _dies_after(call: int) -> Callable[[GoOn], Response]:
    calls = count()

    def fault(go_on: GoOn) -> Response:
        answer = go_on()
        if next(calls) == call:
            raise Death
        return answer

    return fault
