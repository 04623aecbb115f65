"""Closed requests leave the tables for the archive: which go, which stay, and what is left of them."""

import json
from datetime import timedelta

from grant_broker.domain.lifecycle import Status
from grant_broker.reconcile.run import reconcile
from tests.local_aws.s3 import Bucket
from tests.support.archive import LATER, TIME, archived, closed, failures, items, run, withdrawn
from tests.support.scene import InProcessStack


def test_a_closed_request_is_moved(scene: InProcessStack, bucket: Bucket) -> None:
    """Its record and whole trail are one locked object, without a token; a small tombstone stays."""
    request_id = closed(scene)
    before, trail = scene.request(request_id), scene.trail(request_id)
    size = len(json.dumps(items(scene, request_id)))
    scene.clock.now += LATER
    run(scene)
    [(key, [version])] = bucket.objects.items()
    assert key == f"requests/2030/01/01/{request_id}.{len(trail)}.json"
    assert (version.mode, version.until) == ("GOVERNANCE", scene.clock.now + timedelta(days=10))
    [kept] = archived(bucket)
    assert [event["type"] for event in kept["events"]] == trail
    left_out = {"grant_token", "action", "due", "attempts"}
    assert kept["record"] == before.model_dump(mode="json", exclude=left_out)
    [left] = items(scene, request_id)
    assert left["object_key"] == {"S": key}
    assert "status" not in left
    assert len(json.dumps(left)) < 1300
    assert size > 5000
    assert failures(scene) == [0]


def test_one_event_tells_of_a_pass(scene: InProcessStack, bucket: Bucket) -> None:
    """How many were moved; none where there was nothing to move. A pass begins once an hour."""
    first, second = withdrawn(scene), withdrawn(scene)
    scene.clock.now += LATER
    run(scene)
    for minutes in (30, 40):
        scene.clock.now += timedelta(minutes=minutes)
        run(scene)
    assert {kept["record"]["id"] for kept in archived(bucket)} == {first, second}
    assert failures(scene) == [0, 0]
    [event] = scene.brokers.broker("approvals").store.get_trail("reconcile#archive")
    assert (event.type, event.by, event.detail) == ("archived", "reconcile", {"requests": 2})


def test_what_is_not_over_stays(scene: InProcessStack, bucket: Bucket) -> None:
    """What is open, closed too lately, or on the agenda still."""
    scene.clock.now += timedelta(minutes=1)
    open_one = scene.pending()
    long_one, due, gone = withdrawn(scene), withdrawn(scene), withdrawn(scene)
    scene.alter(long_one, ended_at={"S": "2030-01-20T12:00:00.000Z"})
    scene.alter(due, due={"N": "1"}, agenda={"S": "rest#0"})
    item = scene.item(gone)
    scene.lose(gone)
    scene.put(scene.deployment.request_table, {name: item[name] for name in item if name != "ended_at"})
    scene.clock.now += LATER
    run(scene)
    assert not bucket.objects
    assert scene.status(open_one) == Status.PENDING
    assert failures(scene) == [0]


def test_what_counts_for_a_key_s_continuity_stays(scene: InProcessStack, bucket: Bucket) -> None:
    """A key that looks back over 60 days keeps its closed requests for as long; one unknown does not."""
    first, second = withdrawn(scene), withdrawn(scene)
    assert scene.limit(max_continuous="P60D").status == 200
    scene.alter(second, key_arn={"S": "arn:aws:kms:eu-central-1:111122223333:key/unknown"})
    scene.clock.now += LATER
    run(scene)
    assert [kept["record"]["id"] for kept in archived(bucket)] == [second]
    scene.clock.now += timedelta(days=30)
    run(scene)
    assert {kept["record"]["id"] for kept in archived(bucket)} == {first, second}


def test_what_is_owed_a_review_stays(scene: InProcessStack, bucket: Bucket) -> None:
    """A use of break-glass until somebody has signed it off."""
    glass = {"principals": [scene.grantee("partner")], "max_duration": "PT1H", "per_day": 3}
    assert scene.limit(break_glass=glass).status == 200
    request_id = scene.pending()
    path = f"/requests/{request_id}/break-glass"
    assert scene.call("partner", "POST", path, {"reason": "down"}).status == 201
    assert scene.release(request_id).status == 202
    scene.expire()
    scene.later(400)
    scene.clock.now += LATER
    run(scene)
    assert not bucket.objects
    review = f"/security/reviews/break-glass/{request_id}"
    assert scene.call("alice", "POST", review, {"comment": "it was"}).status == 200
    scene.clock.now += timedelta(hours=1)
    run(scene)
    assert len(bucket.objects) == 1


def test_a_run_without_time_leaves_it_to_the_next(scene: InProcessStack, bucket: Bucket) -> None:
    """It goes on where it was, five minutes later, and counts on; without any time it does not look."""
    for _ in range(3):
        withdrawn(scene)
    scene.clock.now += LATER
    broker, moved = scene.brokers.broker("reconcile"), []
    reconcile(broker, lambda: 0.0)
    assert failures(scene) == []
    for _ in range(4):
        done = len(bucket.objects)

        def remaining(done: int = done) -> float:
            return TIME if len(bucket.objects) == done else 0.0

        reconcile(broker, remaining)
        moved.append(len(bucket.objects))
        scene.clock.now += timedelta(minutes=5)
    assert moved == [1, 2, 3, 3]
    [event] = broker.store.get_trail("reconcile#archive")
    assert event.detail == {"requests": 3}
