"""Standing approvals with windows, and later starts: judged when it is asked for, and again when taken up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.reconcile.run import reconcile
from tests.support.scene import InProcessStack, time

# 2030-01-01 is a Tuesday; the scene's clock begins at 12:00 UTC, which is 13:00 in Berlin.
NIGHTS = {"days": ["mon", "tue", "wed"], "from": "22:00", "to": "02:00", "time_zone": "Europe/Berlin"}


@pytest.fixture
def nights(scene: InProcessStack) -> InProcessStack:
    """Two hours at a time are approved ahead for some nights."""
    until = datetime(2030, 1, 9, tzinfo=UTC)
    approval = scene.approve_ahead(windows=[NIGHTS], max_duration="PT4H", valid_until=time(until))
    assert (approval.status, approval.body["windows"]) == (201, [NIGHTS])
    shown = scene.call("alice", "GET", f"/security/approvals/{approval.body['id']}").body
    assert (shown["windows"], shown["status"]) == ([NIGHTS], "active")
    return scene


def at(scene: InProcessStack, text: str) -> InProcessStack:
    """At a UTC time."""
    scene.clock.now = datetime.fromisoformat(f"2030-01-{text}").replace(tzinfo=UTC)
    return scene


@pytest.mark.parametrize(
    ("now", "duration", "status"),
    [
        ("01T20:59:59", "PT2H", "pending"),
        ("01T21:00:00", "PT4H", "active"),
        ("01T23:00:00", "PT2H", "active"),
        ("01T23:00:01", "PT2H", "pending"),
        ("02T00:54:01", "PT6M", "pending"),
        ("02T00:55:00", "PT5M", "active"),
        ("02T01:00:00", "PT5M", "pending"),
        ("03T21:00:00", "PT2H", "pending"),
        ("07T21:30:00", "PT2H", "active"),
    ],
)
def test_what_fits_is_granted(nights: InProcessStack, now: str, duration: str, status: str) -> None:
    """Whoever asks for what starts and ends within one window has it; of everything else people decide."""
    answer = at(nights, now).submit(duration=duration)
    assert (answer.status, answer.body["status"]) == (201, status)


def test_a_dry_run_says_so(nights: InProcessStack) -> None:
    """It forecasts the same, and says which hours it would take."""
    query = {"dry_run": "true"}
    early = nights.call("partner", "POST", "/requests", nights.submission(), query=query).body
    hours = "it does not start and end within mon-wed 22:00-02:00 Europe/Berlin"
    waits = f"no standing approval covers it, since {hours}: one person must approve"
    assert early == {"outcome": "wait_for_approval", "reasons": [waits]}
    at(nights, "01T21:30:00")
    found = nights.call("partner", "POST", "/requests", nights.submission(), query=query).body
    assert found["outcome"] == "grant"


def test_a_later_start(nights: InProcessStack) -> None:
    """It is the start that is judged when it is asked for; taken up, it is judged by what it then is."""
    asked = nights.submit(starts_at="2030-01-01T21:00:00Z", duration="PT3H").body
    assert (asked["status"], asked["take_up_by"]) == ("approved", "2030-01-02T21:00:00Z")
    assert nights.submit(starts_at="2030-01-01T21:00:00Z", duration="PT4H1M").body["status"] == "pending"
    assert nights.submit(starts_at="2030-01-01T20:00:00Z", duration="PT2H").body["status"] == "pending"
    assert nights.take_up(asked["id"]).status == 409
    late = at(nights, "01T22:30:00").take_up(asked["id"])
    assert (late.status, nights.status(asked["id"])) == (409, Status.APPROVED)
    assert "does not start and end within mon-wed 22:00-02:00 Europe/Berlin" in late.body["detail"]
    assert at(nights, "01T22:00:00").take_up(asked["id"]).status == 201


def test_a_window_that_passes_meanwhile(nights: InProcessStack) -> None:
    """What is judged in its last second is not granted in the next one: as stored it would outlast it."""
    asked = nights.submit(starts_at="2030-01-01T21:00:00Z", duration="PT3H").body["id"]
    at(nights, "01T22:00:00")
    with nights.meanwhile("Query", lambda: nights.clock.advance(seconds=1)):
        late = nights.take_up(asked)
    assert (late.status, nights.status(asked), nights.grants()) == (409, Status.APPROVED, [])
    assert "does not start and end within" in late.body["detail"]
    at(nights, "01T22:00:00")
    with nights.meanwhile("TransactWriteItems", lambda: nights.clock.advance(seconds=1)):
        assert nights.take_up(asked).body["expires_at"] == "2030-01-02T01:00:00Z"


def test_the_next_window(nights: InProcessStack) -> None:
    """What was missed on one night is taken up on the next one, until its take-up deadline."""
    asked = nights.submit(starts_at="2030-01-01T21:30:00Z", duration="PT3H").body
    assert at(nights, "02T01:00:00").take_up(asked["id"]).status == 409
    assert at(nights, "02T21:00:00").take_up(asked["id"]).status == 201
    missed = at(nights, "01T12:00:00").submit(starts_at="2030-01-01T21:30:00Z", duration="PT3H").body
    answer = at(nights, "02T21:30:00").take_up(missed["id"])
    assert (answer.status, "not taken up in time" in answer.body["detail"]) == (409, True)


def test_an_extension_fits_as_well(nights: InProcessStack) -> None:
    """It may end with the window, and no later."""
    old = at(nights, "01T21:00:00").submit(duration="PT2H").body
    at(nights, "01T22:30:00")
    assert nights.extend(old["id"], duration="PT3H").body["status"] == "pending"
    assert nights.extend(old["id"], duration="PT2H30M").body["status"] == "active"


def test_another_approval_covers(nights: InProcessStack) -> None:
    """Windows narrow the approval that has them, and no other."""
    nights.approve_ahead()
    assert nights.submit().body["status"] == "active"


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        ([], "empty: give at least 1"),
        (NIGHTS, "give a list, in brackets"),
        ([{**NIGHTS, "time_zone": "Europe/Atlantis"}], "Europe/Atlantis: give a time zone"),
        ([{**NIGHTS, "from": "25:00"}], "give a local time"),
        ([{**NIGHTS, "days": ["someday"]}], "'mon', 'tue'"),
        ([{**NIGHTS, "until": "x"}], "in one of its entries: there is no such field"),
        (["mon"], "in one of its entries: give an object, in braces"),
        ([{"days": ["mon"], "from": "09:00", "to": "10:00"}], "missing"),
    ],
)
def test_what_is_refused(scene: InProcessStack, windows: Any, words: str) -> None:
    """400 that names the field and says what would be right, once."""
    answer = scene.approve_ahead(windows=windows)
    assert (answer.status, {fault["field"] for fault in answer.body["errors"]}) == (400, {"windows"})
    told = [fault["message"] for fault in answer.body["errors"]]
    assert words in told[0]
    assert (len([each for each in told if each.startswith("empty")]) == 1) == (windows == [])


def test_at_any_time(scene: InProcessStack) -> None:
    """Null is the same as leaving it out."""
    body = scene.approval() | {"windows": None}
    made = scene.call("alice", "POST", "/security/approvals", body)
    assert (made.status, made.body["windows"]) == (201, None)
    assert scene.submit().body["status"] == "active"


def test_reconcile_judges_by_the_window(nights: InProcessStack) -> None:
    """A grant in its window is in order; with its record lost it is adopted, and lives on."""
    request_id = at(nights, "01T21:00:00").submit(duration="PT4H").body["id"]
    nights.clock.now += timedelta(minutes=10)
    broker = nights.brokers.broker("reconcile")
    assert reconcile(broker, lambda: 240.0).drift == 0
    nights.lose(request_id)
    assert reconcile(broker, lambda: 240.0).drift == 1
    assert nights.status(request_id) == Status.ACTIVE
