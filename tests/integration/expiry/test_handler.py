"""The function itself: its stream, its schedule, its metrics and its log."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from tests.support.context import Context
from tests.support.faults import Fault, answered, refused
from tests.support.scene import START, InProcessStack


def counted(turns: int) -> Fault:
    """A counter that says so many are claimed."""
    return answered(json.dumps({"Attributes": {"turns": {"N": str(turns)}}}).encode())


def _record(scene: InProcessStack, request_id: str, number: str = "1") -> dict[str, Any]:
    """A stream record of a request as it is stored."""
    [image] = [
        i for i in scene.stored() if (i["pk"]["S"], i["sk"]["S"]) == (f"request#{request_id}", "request")
    ]
    return {"dynamodb": {"NewImage": image, "SequenceNumber": number}}


def _handle(scene: InProcessStack, *records: dict[str, Any]) -> list[str]:
    answer = scene.brokers.handler("expiry").lambda_handler({"Records": list(records)}, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_ending_ends_at_once(scene: InProcessStack) -> None:
    """A release ends its grant through the stream, before its second on the agenda has come."""
    request_id = scene.active()
    scene.clock.sleep(0.3)
    scene.release(request_id)
    assert _handle(scene, _record(scene, request_id)) == []
    assert (scene.status(request_id), scene.grants()) == (Status.RELEASED, [])
    assert scene.measured("EndLatenessSeconds") == [0.0]


def test_a_repeated_or_late_record(scene: InProcessStack) -> None:
    """At least once: a second delivery finds nothing to do, nor does one that comes before its time."""
    ending, living = scene.active(), scene.active()
    scene.release(ending)
    record = _record(scene, ending)
    assert _handle(scene, record, _record(scene, living, "2")) == _handle(scene, record) == []
    assert (scene.status(ending), scene.status(living)) == (Status.RELEASED, Status.ACTIVE)
    assert scene.measured("GrantsEnded") == [1]


def test_kms_fails(scene: InProcessStack) -> None:
    """What KMS refuses is on the agenda with its backoff: the stream does not repeat it."""
    request_id = scene.active()
    scene.release(request_id)
    record = _record(scene, request_id)
    with scene.faults({"RetireGrant": refused("ThrottlingException")}):
        assert _handle(scene, record) == []
    assert (scene.status(request_id), scene.request(request_id).attempts) == (Status.ENDING, 1)
    assert _handle(scene, record) == []
    assert scene.status(request_id) == Status.ENDING
    scene.later(3)
    assert scene.status(request_id) == Status.RELEASED


def test_the_table_does_not_answer(scene: InProcessStack) -> None:
    """Such a record is reported by its number, so that the stream brings it again; the others are done."""
    first, second = scene.active(), scene.active()
    scene.release(first)
    scene.release(second)
    records = [_record(scene, first, "7"), _record(scene, second, "8")]
    fault = refused("InternalServerError", 500)
    with scene.faults({"GetItem": fault}, when=lambda call: first in str(call.parameters)):
        assert _handle(scene, *records) == ["7"]
    assert (scene.status(first), scene.status(second)) == (Status.ENDING, Status.RELEASED)
    assert _handle(scene, *records) == []
    assert scene.status(first) == Status.RELEASED


def test_the_stream_keeps_the_rate_too(scene: InProcessStack) -> None:
    """A flood of revocations ends at the rate: what finds no room waits for the next second."""
    broker = scene.brokers.broker("expiry")
    ids = [scene.active(), scene.active()]
    for request_id in ids:
        scene.revoke(request_id)
    rate = broker.settings.end_rate
    assert broker.store.counters.claim("retire", int(scene.clock.now.timestamp()), rate - 1) == rate - 1
    assert _handle(scene, *(_record(scene, request_id) for request_id in ids)) == []
    ended = [scene.request(request_id) for request_id in ids]
    assert {request.status for request in ended} == {Status.REVOKED}
    assert [request.ended_at for request in ended] == [START, START + timedelta(seconds=1)]


def test_the_stream_finds_no_room(scene: InProcessStack) -> None:
    """After ten seconds it leaves the end to the agenda, which has it."""
    request_id = scene.active()
    scene.revoke(request_id)
    record = _record(scene, request_id)
    with scene.faults({"UpdateItem": counted(10**6)}):
        assert _handle(scene, record) == []
    assert (scene.clock.now, scene.status(request_id)) == (START + timedelta(seconds=10), Status.ENDING)
    scene.expire(1)
    assert scene.status(request_id) == Status.REVOKED


def test_the_stream_where_no_counter_answers(scene: InProcessStack) -> None:
    """A batch goes on with one a second."""
    ids = [scene.active(), scene.active()]
    for request_id in ids:
        scene.revoke(request_id)
    records = [_record(scene, request_id, request_id) for request_id in ids]
    with scene.faults({"UpdateItem": refused("InternalServerError", 500)}):
        assert _handle(scene, *records) == []
    assert [scene.request(each).ended_at for each in ids] == [START, START + timedelta(seconds=1)]


def test_a_record_that_cannot_be_read(scene: InProcessStack) -> None:
    """It is the agenda's business; the batch goes on."""
    bad, good = scene.active(), scene.active()
    for request_id in (bad, good):
        scene.release(request_id)
    records = [_record(scene, bad), _record(scene, good, "2")]
    scene.alter(bad, status={"S": "unheard-of"})
    del records[0]["dynamodb"]["NewImage"]["id"]
    assert _handle(scene, *records) == []
    assert scene.status(good) == Status.RELEASED


def test_a_request_that_is_gone(scene: InProcessStack) -> None:
    """A record of an item that nobody has any more is done."""
    image = {"pk": {"S": f"request#{'0' * 32}"}}
    assert _handle(scene, {"dynamodb": {"NewImage": image, "SequenceNumber": "1"}}) == []


def test_a_scheduled_run(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends what is due, tells how much it did, and its metrics carry their units; no token is logged."""
    request_id = scene.active(duration="PT10S")
    token = scene.request(request_id).grant_token
    handler = scene.brokers.handler("expiry")
    with pytest.MonkeyPatch.context() as patch:
        broker = scene.brokers.broker("expiry")
        measured = replace(broker, measure=handler.measure)
        patch.setitem(scene.brokers._made, "expiry", measured)  # noqa: SLF001
        patch.setattr(Context, "get_remaining_time_in_millis", lambda _self: _left(scene))
        assert handler.lambda_handler({}, Context()) == {"done": 1, "failed": 0}
    assert scene.status(request_id) == Status.EXPIRED
    logged = capsys.readouterr().out
    assert str(token) not in logged
    [metrics] = [json.loads(line) for line in logged.splitlines() if '"_aws"' in line]
    assert (metrics["service"], metrics["Heartbeat"], metrics["GrantsEnded"]) == ("expiry", [1.0], [1.0])
    units = {m["Name"]: m["Unit"] for m in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert (units["EndLatenessSeconds"], units["GrantsEnded"]) == ("Seconds", "Count")


def _left(scene: InProcessStack) -> int:
    """Thirty seconds from the scene's start, and the reserve."""
    return int(40_000 - (scene.clock.now.timestamp() % 3600) * 1000)
