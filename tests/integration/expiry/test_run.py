"""The scheduled run: when it looks, in what order it acts, how fast, and what cannot stop it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.aws.items import item_of
from grant_broker.domain.errors import Unavailable
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.expiry.rate import claim_ends
from grant_broker.expiry.run import run
from tests.support.faults import refused
from tests.support.scene import START, InProcessStack

TABLE_FAULT = refused("InternalServerError", 500)


def _many(scene: InProcessStack, count: int, *, due: int = 0, **changes: Any) -> list[str]:
    """Records with an end on the agenda, a second apart, past the broker; KMS has no grant of them."""
    template = scene.request(scene.active())
    made = []
    for number in range(count):
        when = int(scene.clock.now.timestamp()) + due + number
        fields = {"id": f"{number:032x}", "action": Action.END, "due": when, "version": 1} | changes
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


def test_turns_of_one_second(slow: InProcessStack) -> None:
    """What one takes the others lack, a second has no more than the rate, and each way has its own."""
    broker = slow.brokers.broker("expiry")
    assert [claim_ends(broker, 1), claim_ends(broker, 5), claim_ends(broker, 5)] == [1, 1, 0]
    assert claim_ends(broker, 0) == claim_ends(broker, -1) == 0
    assert claim_ends(broker, 5, kind="revoke") == 2
    slow.clock.sleep(1)
    assert claim_ends(broker, 5) == 2


def test_counters_go_away_by_themselves(slow: InProcessStack) -> None:
    """Each carries the attribute that DynamoDB's TTL reads, an hour ahead."""
    assert claim_ends(slow.brokers.broker("expiry"), 1) == 1
    items = slow.tables.scan(TableName=slow.deployment.request_table)["Items"]
    [counter] = [item for item in items if item["pk"]["S"].startswith("rate#retire#")]
    assert int(counter["expires"]["N"]) == int(START.timestamp()) + 3600
    assert "agenda" not in counter


def test_a_fair_share_where_the_counter_does_not_answer(scene: InProcessStack) -> None:
    """Ending goes on at a third of the rate, as many runs may overlap."""
    broker = scene.brokers.broker("expiry")
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with scene.faults({"UpdateItem": TABLE_FAULT}):
        assert claim_ends(broker, 100) == broker.settings.end_rate // 3
        assert claim_ends(broker, 1) == 1
        scene.expire(1)
    assert scene.status(request_id) == Status.EXPIRED


def test_the_second_quota_once_it_is_behind(slow: InProcessStack) -> None:
    """Where the oldest end has waited for longer than a run, RevokeGrant's own quota is used as well."""
    real = slow.active(duration="PT1H")
    slow.clock.now = START + timedelta(hours=1)
    ids = _many(slow, 5, due=-131)
    with slow.faults({"RevokeGrant": [None]}) as revoked, slow.faults({"ListGrants": [None]}) as listed:
        slow.expire(0.5)
    assert [slow.status(request_id) for request_id in ids[:4]] == [Status.EXPIRED] * 4
    assert (slow.status(ids[4]), slow.status(real)) == (Status.ACTIVE, Status.ACTIVE)
    # The grants of these records are gone already, which ListGrants shows before anything is revoked.
    assert (revoked, len(listed) >= 2) == ([], True)


def test_only_one_quota_while_it_keeps_up(slow: InProcessStack) -> None:
    """However many are due in one second: a run has two minutes for them."""
    ids = _many(slow, 5, due=-100)
    slow.expire(0.5)
    assert [slow.status(request_id) for request_id in ids].count(Status.EXPIRED) == 2


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
    run(scene.brokers.broker("expiry"), lambda: 240.0, workers=1)
    assert timedelta(seconds=130) <= scene.clock.now - START < timedelta(seconds=133)
    assert scene.request(request_id).ended_at == START + timedelta(seconds=129)
    assert scene.measured("Heartbeat") == [1]


def test_it_hands_over_before_its_time_limit(scene: InProcessStack) -> None:
    """No new look in the last ten seconds, nothing begun in the last eight: the next run has it."""
    request_id = scene.active(duration="PT1S")
    scene.clock.sleep(1)
    assert run(scene.brokers.broker("expiry"), lambda: 9.9, workers=1).looked is False
    left = iter([11.0, 7.9, 7.9])
    report = run(scene.brokers.broker("expiry"), lambda: next(left), workers=1)
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
    assert list(scene.brokers.broker("expiry").store.agenda.list_due(int(scene.clock.now.timestamp()))) == []
    scene.later(300)
    assert scene.measured("EndFailures") == [1, 1]


def test_its_token_is_in_no_log(scene: InProcessStack, caplog: pytest.LogCaptureFixture) -> None:
    """A record that cannot be read is reported without what is in it."""
    request_id = scene.active(duration="PT1S")
    token = scene.request(request_id).grant_token
    scene.alter(request_id, duration={"S": "for ever"})
    assert scene.call("partner", "GET", f"/requests/{request_id}").status == 503
    scene.later(2)
    assert "unforeseen" in caplog.text
    assert "unfit" in caplog.text
    assert str(token)[:20] not in caplog.text


def test_an_item_that_is_no_request(scene: InProcessStack) -> None:
    """Whatever somebody put on the agenda: put off, so that it takes nobody's turn."""
    strange = {"pk": {"S": "x"}, "sk": {"S": "y"}, "agenda": {"S": "agenda"}, "due": {"N": "1"}}
    scene.put(scene.deployment.request_table, strange)
    request_id = scene.active(duration="PT1S")
    scene.clock.sleep(2)
    scene.expire(1)
    assert scene.status(request_id) == Status.EXPIRED
    assert list(scene.brokers.broker("expiry").store.agenda.list_due(int(scene.clock.now.timestamp()))) == []


def test_it_left_the_agenda_meanwhile(scene: InProcessStack) -> None:
    """An unfit entry that somebody took off is not put back."""
    strange = {"pk": {"S": "x"}, "sk": {"S": "y"}, "agenda": {"S": "agenda"}, "due": {"N": "1"}}
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


def test_nothing_to_do(scene: InProcessStack) -> None:
    """An idle run looks every half second here, since the smallest grant lives for one."""
    with scene.faults({"Query": [None]}) as looks:
        report = scene.expire(5)
    assert (report.done, len(looks)) == (0, 10)


def test_a_poll_of_production(scene: InProcessStack) -> None:
    """Where the smallest grant lives for minutes a look every two seconds is enough."""
    broker = scene.brokers.broker("expiry")
    settings = broker.settings.model_copy(update={"smallest_duration": 300})
    other = replace(broker, settings=settings)
    deadline = START + timedelta(seconds=20)
    with scene.faults({"Query": [None]}) as looks:
        run(other, lambda: (deadline - scene.clock.now).total_seconds() + 10, workers=1)
    assert len(looks) == 10


def test_many_workers(scene: InProcessStack) -> None:
    """Several at the same time, each entry once."""
    ids = _many(scene, 8, due=-30)
    report = scene.expire(0.5, workers=4)
    assert report.done == 8
    assert {scene.status(request_id) for request_id in ids} == {Status.EXPIRED}
    assert len(scene.measured("GrantsEnded")) == 8


def test_what_answers_nothing_is_told_apart(scene: InProcessStack) -> None:
    """The counter's Unavailable is about the database alone."""
    with scene.faults({"UpdateItem": TABLE_FAULT}), pytest.raises(Unavailable):
        scene.brokers.broker("expiry").store.counters.claim("retire", 1, 1)
