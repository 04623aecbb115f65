"""Tables lost, KMS refusing for a day, functions that do not run: what ends when, and which alarm fires."""

from datetime import datetime, timedelta

import pytest

from tests.simulation import checks
from tests.simulation.alarms import fires
from tests.simulation.clockwork import tick
from tests.simulation.injection import Fault, Kind
from tests.simulation.ledger import expiry_of
from tests.simulation.one_request import SCOPE, OneRequest
from tests.simulation.oracle import RATE
from tests.simulation.world import PARTNER, World
from tests.support.crowd import ends_due
from tests.support.reports import Report

INTERVAL = 300.0


def _granted(world: World, *durations: str) -> dict[str, str]:
    """Grants of these durations: their names, by duration."""
    found = {}
    for duration in durations:
        one = OneRequest(world)
        one.request = one.acts.submit("partner", "second_data", {**SCOPE, "duration": duration})
        one.acts.vote("alice", one.request, "approve")
        one.take_up()
        found[duration] = next(g["Name"] for g in world.ledger.own() if str(one.request) in g["Name"])
    return found


def _lateness(world: World, names: dict[str, str]) -> dict[str, float]:
    """By how many seconds each grant outlived its time; infinity for one that lives."""
    ended = dict(world.ledger.ended)
    live = {grant["Name"] for grant in world.ledger.own()}
    never = float("inf")
    return {
        label: never if name in live else (ended[name] - expiry_of(name)).total_seconds()
        for label, name in names.items()
    }


def _shown(title: str, late: dict[str, float]) -> tuple[str, list[str]]:
    return f"{title}: seconds late", [
        f"{seconds:>8.1f}  granted for {label}" for label, seconds in late.items()
    ]


@pytest.mark.parametrize("loss", ["restored to yesterday", "empty"])
def test_table_lost(world: World, report: Report, loss: str) -> None:
    """With the request table lost, grants end by their time, or within a reconcile interval of the loss."""
    yesterday = _granted(world, "PT1H")
    tick(world, 1)
    world.remember()
    history = world.history[-1:]
    tick(world, 24 * 60)
    world.advance(30)
    names = _granted(world, "PT6M", "PT7M", "PT10M", "PT20M", "PT1H")
    # A minute after a reconcile run, and four before the next.
    tick(world, 5)
    world.history[:] = history
    world.restore(None if loss == "empty" else 0)
    tick(world, 70)
    late = _lateness(world, names)
    report.append(_shown(f"request table {loss}", late))
    assert all(0 < late[label] <= INTERVAL - 60 for label in ("PT6M", "PT7M"))
    assert all(0 <= late[label] <= 1 for label in ("PT10M", "PT20M", "PT1H"))
    # Yesterday's grant ended in its time, and its record, live again, brings nothing back.
    assert dict(world.ledger.ended).keys() == {*yesterday.values(), *names.values()}
    assert len(world.ledger.made) == len(names) + 1
    assert checks.settle(world) == []


@pytest.mark.parametrize("taken_up", [False, True])
def test_restore_revives_nothing(world: World, taken_up: bool) -> None:  # noqa: FBT001 - a pytest parameter
    """What the security team revoked cannot be taken up again when the request table is restored."""
    one = OneRequest(world).approved()
    world.remember()
    if taken_up:
        one.take_up()
    one.acts.on_request("bob", "DELETE", "/security/requests/{}/grant", one.request, {"reason": "stop"})
    tick(world, 2)
    world.restore(-1)
    answer = one.acts.take_up("partner", one.request)
    assert answer
    assert answer.status == 409
    assert "not covered any more" in answer.body["detail"]
    assert world.ledger.own() == []


REFUSED = [
    Fault(Kind.ACCESS_DENIED, lasting=True, operation="RetireGrant"),
    Fault(Kind.ACCESS_DENIED, lasting=True, operation="RevokeGrant"),
]


def test_kms_refuses_for_a_day(world: World, report: Report) -> None:
    """Refused for a day, nothing is abandoned, and all ends within two cycles of KMS's recovery."""
    names = _granted(world, "PT5M", "PT10M", "PT20M", "PT1H")
    tick(world, 6, plan=REFUSED)
    template = world.deployment.template
    assert fires(template, "EndFailuresAlarm", world.metrics, world.now)
    assert not fires(template, "EndFailuresAlarm", world.metrics, world.now.replace(minute=4))
    tick(world, 5, plan=REFUSED)
    assert fires(template, "OverdueAlarm", world.metrics, world.now)
    tick(world, 24 * 60 - 11, plan=REFUSED)
    assert len(world.ledger.own()) == len(names)
    assert len(world.dues()) == len(names)
    tick(world, 10)
    recovered, labels = world.now.timestamp() - 600, {name: label for label, name in names.items()}
    took = {labels[name]: at.timestamp() - recovered for name, at in world.ledger.ended}
    lines = [f"{seconds:>8.1f}  granted for {label}" for label, seconds in took.items()]
    report.append(("KMS refused for a day: seconds from its recovery to the end", lines))
    assert took.keys() == names.keys()
    assert checks.settle(world) == []


def test_zombie(world: World, report: Report) -> None:
    """A CreateGrant carried out after its record was closed is ended within six minutes, with an alarm."""
    one = OneRequest(world).approved().take_up(Fault(Kind.ZOMBIE, lasting=True, racer=7))
    tick(world, 7)
    assert world.ledger.record(str(one.request))["status"] == "failed"
    tick(world, 8)
    [(_, ended)] = world.ledger.ended
    lived = (ended - world.ledger.born[0]).total_seconds()
    report.append(("a grant made minutes after its record was closed: seconds it lived", [f"{lived:>8.1f}"]))
    assert 0 < lived <= 360
    assert [event["type"] for event in world.ledger.trail(str(one.request))][-1] == "late_duplicate"
    assert any(
        fires(world.deployment.template, "LateDuplicateAlarm", world.metrics, at) for at in _minutes(world)
    )


def test_zombie_after_the_last_look(world: World) -> None:
    """One carried out after `confirm` looked is found by reconcile: the same bound, and another alarm."""
    OneRequest(world).approved().take_up(Fault(Kind.ZOMBIE, lasting=True, racer=13))
    tick(world, 25)
    [(_, ended)] = world.ledger.ended
    assert 0 < (ended - world.ledger.born[0]).total_seconds() <= 360
    assert any(fires(world.deployment.template, "DriftAlarm", world.metrics, at) for at in _minutes(world))


def test_expiry_does_not_run(world: World) -> None:
    """A missing heartbeat alarms, and reconcile alarms on what is overdue by its own count from KMS."""
    names, template = _granted(world, "PT5M"), world.deployment.template
    tick(world, 4)
    assert not fires(template, "ExpiryHeartbeatAlarm", world.metrics, world.now)
    tick(world, 10, expiry=False)
    assert fires(template, "ExpiryHeartbeatAlarm", world.metrics, world.now)
    assert fires(template, "OverdueAlarm", world.metrics, world.now)
    tick(world, 2)
    assert _lateness(world, names)["PT5M"] < float("inf")
    assert not fires(template, "ExpiryHeartbeatAlarm", world.metrics, world.now)


def test_reconcile_does_not_run(world: World) -> None:
    """Twenty minutes without a whole look at KMS alarm; one refused listing is no heartbeat."""
    template = world.deployment.template
    refused = Fault(Kind.ACCESS_DENIED, lasting=True, operation="ListRetirableGrants")
    tick(world, 20)
    assert not fires(template, "ReconcileHeartbeatAlarm", world.metrics, world.now)
    tick(world, 20, plan=[refused])
    assert fires(template, "ReconcileHeartbeatAlarm", world.metrics, world.now)


def _minutes(world: World) -> list[datetime]:
    first = world.metrics[0][0]
    return [first + timedelta(minutes=number) for number in range(60)]


def test_break_glass_is_loud(world: World) -> None:
    """One alarm when it is used, another until somebody has signed it off; neither of an approved grant."""
    template, used, owed = world.deployment.template, "BreakGlassAlarm", "BreakGlassReviewAlarm"
    _granted(world, "PT6M")
    tick(world, 6)
    assert not any(fires(template, alarm, world.metrics, world.now) for alarm in (used, owed))
    one = OneRequest(world).broken()
    assert fires(template, used, world.metrics, world.now)
    tick(world, 6)
    assert not fires(template, used, world.metrics, world.now)
    for _ in range(2):
        assert fires(template, owed, world.metrics, world.now)
        tick(world, 20)
    path = f"/security/reviews/break-glass/{one.request}"
    assert one.acts.call("bob", "POST", path, {"comment": "seen"})
    tick(world, 6)
    assert not fires(template, owed, world.metrics, world.now)


def test_ends_that_nothing_stands_behind(world: World) -> None:
    """Whoever fills the agenda has submissions refused until reconcile has looked, and two alarms tell."""
    template, one = world.deployment.template, OneRequest(world)
    one.acts.approve_ahead("alice", "partner_data", PARTNER, lasts=3600)
    ends = int(world.now.timestamp()) + 1200
    assert one.acts.submit("partner", "partner_data", SCOPE)
    for item in ends_due(ends, 62 * RATE, key_arn=world.keys.arns["partner_data"]):
        assert world.intruders.put("requests", item)
    assert one.acts.submit("partner", "partner_data", SCOPE, app=1) is None
    assert not fires(template, "EndsNotBackedAlarm", world.metrics, world.now)
    world.run_reconcile()
    assert fires(template, "EndsNotBackedAlarm", world.metrics, world.now)
    assert fires(template, "DebtAlarm", world.metrics, world.now)
    assert one.acts.submit("partner", "partner_data", SCOPE, app=1)
