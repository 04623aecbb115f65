"""The scheduled run: when it looks, in what order it acts, how fast, and what cannot stop it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.aws.items import item_of
from grant_broker.domain.agenda import Part
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.run import run
from tests.local_aws.cloud import AwsCall
from tests.support.faults import refused
from tests.support.inline import Inline
from tests.support.scene import START, InProcessStack

TABLE_FAULT = refused("InternalServerError", 500)


def _many(scene: InProcessStack, count: int, *, due: int = 0, **changes: Any) -> list[str]:
    """Records with an end on the agenda, a second apart, past the broker; KMS has no grant of them."""
    template = scene.request(scene.active())
    made = []
    for number in range(count):
        when = int(scene.clock.now.timestamp()) + due + number
        fields = {"id": f"{number:032x}", "action": Action.END, "due": when, "version": 1} | changes
        fields["grant_token"] = None
        record = template.model_copy(update={**fields, "grant_id": f"{number:064x}"})
        scene.put(scene.deployment.request_table, item_of(record))
        made.append(record.id)
    return made


@pytest.fixture
def slow(scene: InProcessStack) -> Iterator[InProcessStack]:
    """A stack that ends two grants a second."""
    broker = scene.brokers.broker("expiry")
    settings = broker.settings.model_copy(update={"end_rate": 2})
    changed = replace(broker, settings=settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(scene.brokers._made, "expiry", changed)  # noqa: SLF001
        yield scene


def test_oldest_first_at_the_rate(slow: InProcessStack) -> None:
    """More due than the rate allows: the oldest first, no more than the rate in any second."""
    ids = _many(slow, 7, due=-7)
    with slow.faults({"RetireGrant": [None]}) as retired:
        slow.expire(3)
    assert [call.parameters["GrantId"] for call in retired] == [f"{number:064x}" for number in range(6)]
    assert slow.status(ids[6]) == Status.ACTIVE
    slow.expire(2)
    assert slow.status(ids[6]) == Status.EXPIRED


def test_overlapping_runs_share_the_rate(slow: InProcessStack) -> None:
    """Three runs at the same time end together no more than one would."""
    ids = _many(slow, 6, due=-6)
    for _ in range(3):
        slow.expire(0.5)
        slow.clock.now = START
    ended = [request_id for request_id in ids if slow.status(request_id) == Status.EXPIRED]
    assert ended == ids[:2]


def test_nothing_crowds_out_an_end(slow: InProcessStack) -> None:
    """However many requests lapse before it, a grant's end comes first."""
    request_id = slow.active(duration="PT10S")
    waiting = _many(slow, 6, due=-10, status=Status.APPROVED, action=Action.LAPSE)
    slow.clock.sleep(10)
    slow.expire(0.5)
    assert slow.status(request_id) == Status.EXPIRED
    assert [slow.status(each) for each in waiting].count(Status.LAPSED) == 2


def test_ends_come_first_in_their_second(scene: InProcessStack) -> None:
    """Nothing else that is due in the same second, or before it, is done before a grant is ended."""
    scene.active(duration="PT10S")
    waiting = _many(scene, 3, due=8, status=Status.APPROVED, action=Action.LAPSE)
    scene.clock.sleep(10)
    with scene.meanwhile("RetireGrant", lambda: {scene.status(each) for each in waiting}) as found:
        scene.expire(0.5)
    assert found == [{Status.APPROVED}]


def test_it_covers_the_next_130_s(scene: InProcessStack) -> None:
    """Schedules may start two minutes apart: what falls due until then ends in its second."""
    request_id = scene.active(duration="PT129S")
    run(scene.brokers.broker("expiry"), lambda: 240.0, pool=Inline)
    assert timedelta(seconds=130) <= scene.clock.now - START < timedelta(seconds=133)
    assert scene.request(request_id).ended_at == START + timedelta(seconds=129)
    assert scene.measured("Heartbeat") == [1]


def test_it_hands_over_before_its_time_limit(scene: InProcessStack) -> None:
    """No new look in the last ten seconds, nothing begun in the last eight: the next run has it."""
    request_id = scene.active(duration="PT1S")
    scene.clock.sleep(1)
    assert run(scene.brokers.broker("expiry"), lambda: 9.9, pool=Inline).looked is False
    left = iter([11.0, 7.9, 7.9])
    report = run(scene.brokers.broker("expiry"), lambda: next(left), pool=Inline)
    assert (report.looked, report.done, report.failed) == (True, 0, 0)
    assert scene.status(request_id) == Status.ACTIVE
    scene.expire(1)
    assert scene.status(request_id) == Status.EXPIRED


def test_a_look_at_the_agenda_fails(scene: InProcessStack) -> None:
    """The run looks again until its end; it is alive once it has seen the agenda."""
    request_id = scene.active(duration="PT1S")
    scene.clock.sleep(1)
    with scene.faults({"Query": [*[TABLE_FAULT] * 9, None]}):
        scene.expire(5)
    assert scene.status(request_id) == Status.EXPIRED
    assert scene.measured("Heartbeat") == [1]


def test_no_heartbeat_without_a_look(scene: InProcessStack) -> None:
    """A run that never saw the agenda is as good as none: the alarm must fire."""
    with scene.faults({"Query": TABLE_FAULT}):
        scene.expire(3)
    assert scene.measured("Heartbeat") == []


@pytest.mark.parametrize("operation", ["GetItem", "TransactWriteItems"])
def test_the_table_does_not_answer_for_one(scene: InProcessStack, operation: str) -> None:
    """One entry fails, the others go on; it stays on the agenda."""
    first, second = scene.active(duration="PT1S"), scene.active(duration="PT2S")
    scene.clock.sleep(3)
    with scene.faults({operation: TABLE_FAULT}, when=lambda call: first in str(call.parameters)):
        report = scene.expire(1)
    assert (report.done, report.failed) == (1, 1)
    assert scene.status(second) == Status.EXPIRED
    scene.later(16)
    assert scene.status(first) == Status.EXPIRED


def test_the_table_does_not_answer_while_it_is_put_off(scene: InProcessStack) -> None:
    """KMS fails and the table too: the claim brings the entry back."""
    request_id = scene.active(duration="PT1S")
    scene.clock.sleep(1)
    with (
        scene.faults({"RetireGrant": refused("ThrottlingException")}) as retired,
        scene.faults({"dynamodb": TABLE_FAULT}, when=lambda _call: bool(retired)),
    ):
        report = scene.expire(0.5)
    assert (report.failed, scene.status(request_id)) == (1, Status.ACTIVE)
    scene.later(15)
    assert scene.status(request_id) == Status.EXPIRED


@pytest.mark.parametrize(
    "broken",
    [
        {"status": {"S": "unheard-of"}},
        {"scope": {"S": "anything"}},
        {"due": {"N": "1.5"}, "version": {"N": "1.5"}, "duration": {"S": "for ever"}},
        {"action": {"M": {}}},
    ],
    ids=["status", "scope", "fractions", "action"],
)
def test_a_record_that_cannot_be_read(scene: InProcessStack, broken: dict[str, Any]) -> None:
    """It stops nobody: told, put off, tried again; the grants beside it end in their second."""
    bad, good = scene.active(duration="PT1S"), scene.active(duration="PT2S")
    scene.alter(bad, **broken)
    scene.clock.sleep(3)
    scene.expire(1)
    assert scene.status(good) == Status.EXPIRED
    assert scene.measured("EndFailures") == [1]
    assert scene.due() == []
    scene.later(300)
    assert scene.measured("EndFailures") == [1, 1]


def test_its_token_is_in_no_log(scene: InProcessStack, caplog: pytest.LogCaptureFixture) -> None:
    """A record that cannot be read is reported without what is in it."""
    request_id = scene.active(duration="PT1S")
    token = scene.request(request_id).grant_token
    scene.alter(request_id, duration={"S": "for ever"})
    assert scene.call("partner", "GET", f"/requests/{request_id}").status == 503
    scene.later(2)
    assert "unexpected" in caplog.text
    assert "unfit" in caplog.text
    assert str(token)[:20] not in caplog.text


def test_an_item_that_is_no_request(scene: InProcessStack) -> None:
    """Whatever somebody put on the agenda: put off, so that it takes nobody's turn."""
    strange = {"pk": {"S": "x"}, "sk": {"S": "y"}, "agenda": {"S": "ends#0"}, "due": {"N": "1"}}
    scene.put(scene.deployment.request_table, strange)
    request_id = scene.active(duration="PT1S")
    scene.clock.sleep(2)
    scene.expire(1)
    assert scene.status(request_id) == Status.EXPIRED
    assert scene.due() == []


def test_it_left_the_agenda_meanwhile(scene: InProcessStack) -> None:
    """An unfit entry that somebody took off is not put back."""
    strange = {"pk": {"S": "x"}, "sk": {"S": "y"}, "agenda": {"S": "ends#0"}, "due": {"N": "1"}}
    scene.put(scene.deployment.request_table, strange)
    key = {"pk": {"S": "x"}, "sk": {"S": "y"}}
    table = scene.deployment.request_table
    with scene.meanwhile("UpdateItem", lambda: scene.tables.delete_item(TableName=table, Key=key)):
        report = scene.expire(0.5)
    assert report.failed == 1
    assert "Item" not in scene.tables.get_item(TableName=table, Key=key)


def test_the_database_refuses_a_record(scene: InProcessStack) -> None:
    """Refused for good, as an item too large would be: told and put off, and the others go on."""
    bad, good = scene.active(duration="PT1S"), scene.active(duration="PT2S")
    scene.clock.sleep(3)
    with scene.faults({"TransactWriteItems": refused("ValidationException")}, when=lambda c: bad in str(c)):
        scene.expire(1)
    assert scene.status(good) == Status.EXPIRED
    assert scene.request(bad).due == int(scene.clock.now.timestamp()) + 299


def looks(calls: list[AwsCall], part: Part = Part.ENDS) -> list[AwsCall]:
    """The queries that looked at a part of the agenda."""
    return [call for call in calls if f"{part}#0" in str(call.parameters)]


def with_smallest(scene: InProcessStack, seconds: int) -> ExpiryBroker:
    """The broker of a stack whose smallest grant lives for so long."""
    broker = scene.brokers.broker("expiry")
    return replace(broker, settings=broker.settings.model_copy(update={"smallest_duration": seconds}))


def test_nothing_to_do(scene: InProcessStack) -> None:
    """An idle run looks every half second here, since the smallest grant lives for one."""
    with scene.faults({"Query": [None]}) as calls:
        report = scene.expire(5)
    assert (report.done, len(looks(calls)), len(looks(calls, Part.REST))) == (0, 10, 10)


def test_a_poll_of_production(scene: InProcessStack) -> None:
    """Where the smallest grant lives for minutes a look every two seconds is enough."""
    scene.active(duration="PT1H")
    scene.clock.sleep(3600 - 25)
    deadline = scene.clock.now + timedelta(seconds=20)
    with scene.faults({"Query": [None]}) as calls:
        run(
            with_smallest(scene, 300),
            lambda: (deadline - scene.clock.now).total_seconds() + 10,
            pool=Inline,
        )
    # Each sees nothing due by the next, and then that something is before the run is over.
    assert len(looks(calls)) == 20


def test_an_idle_run_goes_home(scene: InProcessStack) -> None:
    """Where no end is near and none can come by, what is due of the rest is done, and that is all."""
    living, lapsing = scene.active(duration="PT3H"), scene.pending()
    answer_by = scene.request(lapsing).answer_by
    assert answer_by is not None
    scene.clock.now = START + timedelta(hours=3, seconds=-131)
    scene.alter(lapsing, due={"N": str(int(scene.clock.now.timestamp()))})
    began = scene.clock.now
    with scene.faults({"Query": [None]}) as calls:
        report = run(with_smallest(scene, 131), lambda: 240.0, pool=Inline)
    assert (scene.clock.now, report.done, report.looked) == (began, 1, True)
    assert (scene.status(living), scene.status(lapsing)) == (Status.ACTIVE, Status.LAPSED)
    assert (scene.measured("Heartbeat"), len(calls)) == ([1], 5)
    # Two seconds later the end is within a run's time.
    scene.clock.sleep(2)
    run(with_smallest(scene, 131), lambda: 240.0, pool=Inline)
    assert scene.request(living).ended_at == START + timedelta(hours=3)


def test_it_stays_while_a_grant_may_come_and_end(scene: InProcessStack) -> None:
    """Where the smallest grant may begin and end within its time, a run stays to the end of it."""
    began = scene.clock.now
    run(with_smallest(scene, 130), lambda: 240.0, pool=Inline)
    assert scene.clock.now - began >= timedelta(seconds=130)


def test_it_goes_home_after_the_last_end(scene: InProcessStack) -> None:
    """Once what was near has ended nothing keeps it, unless KMS failed and it is to be tried again."""
    scene.active(duration="PT1H")
    scene.clock.sleep(3600 - 10)
    with scene.faults({"RetireGrant": [refused("ThrottlingException"), None]}):
        run(with_smallest(scene, 300), lambda: 240.0, pool=Inline)
    assert (scene.measured("EndFailures"), scene.measured("GrantsEnded")) == ([1], [1])
    assert timedelta(seconds=11) <= scene.clock.now - START - timedelta(seconds=3590) <= timedelta(seconds=16)


def test_it_stays_while_it_cannot_see_what_is_ahead(scene: InProcessStack) -> None:
    """A look ahead that fails shows nothing: the run goes on until one succeeds."""
    ahead = str(int((START + timedelta(seconds=130)).timestamp()))

    def is_look_ahead(call: AwsCall) -> bool:
        return ahead in str(call.parameters) and "ends#0" in str(call.parameters)

    with scene.faults({"Query": [*[TABLE_FAULT] * 3, None]}, when=is_look_ahead):
        run(with_smallest(scene, 300), lambda: 240.0, pool=Inline)
    assert scene.clock.now > START


def test_it_stays_until_the_rest_is_done(scene: InProcessStack) -> None:
    """More of the rest than one round takes: the run goes on, round after round."""
    waiting = _many(scene, 90, due=-90, status=Status.APPROVED, action=Action.LAPSE)
    run(with_smallest(scene, 300), lambda: 240.0, pool=Inline)
    assert {scene.status(each) for each in waiting} == {Status.LAPSED}
    assert timedelta() < scene.clock.now - START < timedelta(seconds=10)


def test_many_workers(scene: InProcessStack) -> None:
    """Several at the same time, each entry once."""
    ids = _many(scene, 8, due=-30)
    report = scene.expire(0.5, pool=ThreadPoolExecutor)
    assert report.done == 8
    assert {scene.status(request_id) for request_id in ids} == {Status.EXPIRED}
    assert len(scene.measured("GrantsEnded")) == 8


@pytest.mark.parametrize(("calls", "told"), [(9, []), (10, [10])])
def test_many_calls_of_list_grants(scene: InProcessStack, calls: int, told: list[int]) -> None:
    """A run tells how often it called ListGrants in its busiest second, where that is worth a metric."""
    listed = scene.brokers.broker("expiry").kms.listed
    listed.take()
    for _ in range(calls):
        listed.count(scene.cloud.region)
    scene.expire(1)
    assert scene.measured("ListGrantsInASecond") == told
