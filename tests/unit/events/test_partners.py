"""Partners' buses: each is told of its own, and none holds up the trail, the mails or another partner."""

import json
import logging
from functools import partial
from typing import Any, cast
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from grant_broker.aws.event_bus import EventBus
from grant_broker.aws.mails import MailQueue
from grant_broker.domain.accounts import AccountDocument
from grant_broker.domain.errors import DatabaseRefused, Unavailable
from grant_broker.domain.notices import PARTNER_BUS
from grant_broker.domain.trail import Event
from grant_broker.events.announce import announce
from grant_broker.events.directory import Directory
from grant_broker.events.partners import Partners
from tests.support.announcements import QUEUE, Sent, channels_to, event
from tests.support.scene import Clock

ACME, GLOBEX, NAMED, NOBODY = "444455556666", "666677778888", "888899990000", "111122223333"


def bus_of(account: str) -> str:
    """An account's bus."""
    return f"arn:aws:events:eu-central-1:{account}:event-bus/grants"


ENTRIES = {
    ACME: AccountDocument(account=ACME, name="acme", event_bus=bus_of(ACME)),
    GLOBEX: AccountDocument(account=GLOBEX, name="globex", event_bus=bus_of(GLOBEX)),
    NAMED: AccountDocument(account=NAMED, name="named"),
}


class Buses(Sent):
    """EventBridge with the partners' buses; `shut`: the accounts whose bus lets nobody in."""

    def __init__(self) -> None:
        super().__init__()
        self.shut: set[str] = set()
        self.tried: list[str] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - EventBridge's name
        """PutEvents."""
        accounts = [entry["EventBusName"].split(":")[4] for entry in Entries if "EventBusName" in entry]
        self.tried += sorted(set(accounts))
        if set(accounts) & self.shut:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "shut"}}, "PutEvents")
        return super().put_events(Entries=Entries)

    def taken_by(self, account: str) -> list[str]:
        """The ids of the events that an account's bus took."""
        own = [entry for entry in self.entries if entry.get("EventBusName") == bus_of(account)]
        return [json.loads(entry["Detail"])["id"] for entry in own]

    @property
    def lost(self) -> float:
        """How many events partners' buses did not take."""
        return sum(value for name, value in self.measured if name == "PartnerEventsLost")


@pytest.fixture
def buses() -> Buses:
    """EventBridge."""
    return Buses()


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


def seconds(clock: Clock) -> float:
    """The time in seconds."""
    return clock.now.timestamp()


def partners(buses: Buses, clock: Clock, find: Any = ENTRIES.get) -> Partners:
    """What tells partners, by this clock."""
    client = cast("Any", buses)
    bus, mails, now = EventBus(client, lambda _: None), MailQueue(client, QUEUE), partial(seconds, clock)
    return Partners(bus, Directory(find, now), mails, buses.measure, now)


def of(account: str, number: int, kind: str = "active", **detail: Any) -> Event:
    """An event of an account's request."""
    return event(number, kind, account=account, **detail)


def test_each_is_told_of_its_own(buses: Buses, clock: Clock) -> None:
    """Two accounts' events go to their own buses, those of accounts without one, and others, to none."""
    told = [of(ACME, 1), of(GLOBEX, 2), of(NAMED, 3), of(NOBODY, 4), of(ACME, 5, "issuing"), event(6)]
    assert partners(buses, clock).tell(told) == [True] * 6
    assert (buses.taken_by(ACME), buses.taken_by(GLOBEX)) == (["id-1"], ["id-2"])
    assert (len(buses.entries), buses.lost, buses.queued) == (2, 0, [])


def test_after_the_trail_and_once(buses: Buses) -> None:
    """A record that the stream gives again, for another one's sake, is not told a second time."""
    channels = channels_to(buses, ENTRIES.get)
    buses.refused = {"id-2"}
    assert announce(channels, {"r1": of(ACME, 1), "r2": event(2)}) == {"r2"}
    buses.refused = set()
    assert announce(channels, {"r1": of(ACME, 1), "r2": event(2)}) == set()
    assert buses.taken_by(ACME) == ["id-1"]
    assert buses.published.count("id-1") == 2


def test_a_bus_that_shuts_us_out(buses: Buses, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Its events are counted and told once an hour; the others' go on; it is left alone for a minute."""
    tell, buses.shut = partners(buses, clock).tell, {ACME}
    with caplog.at_level(logging.ERROR):
        assert tell([of(ACME, number) for number in range(1, 13)] + [of(GLOBEX, 20)]) == [True] * 13
    assert (buses.lost, buses.tried, buses.taken_by(GLOBEX)) == (12, [ACME, GLOBEX], ["id-20"])
    [notice] = buses.notices
    assert notice.title == PARTNER_BUS
    for words in (f'"{ACME}" ("acme")', "AccessDeniedException", "Events: 12 now", "Next: grant-broker"):
        assert words in notice.text
    assert "a partner's bus did not take 12 events" in caplog.text
    tell([of(ACME, 30)])
    assert (buses.lost, buses.tried.count(ACME), len(buses.queued)) == (13, 1, 1)
    clock.sleep(61)
    tell([of(ACME, 31)])
    assert (buses.lost, buses.tried.count(ACME), len(buses.queued)) == (14, 2, 1)
    clock.sleep(3600)
    buses.shut = set()
    tell([of(ACME, 32)])
    assert (buses.lost, buses.taken_by(ACME)) == (14, ["id-32"])
    buses.shut = {ACME}
    tell([of(ACME, 33)])
    assert (buses.lost, len(buses.queued)) == (15, 2)


def test_a_bus_that_takes_some(buses: Buses, clock: Clock) -> None:
    """What it refuses one by one is tried three times, and no more of the batch after that."""
    buses.refused = {"id-3"}
    partners(buses, clock).tell([of(ACME, number) for number in range(1, 23)])
    assert buses.calls == [10, 1, 1]
    assert buses.lost == 13
    assert "again and again" in buses.notices[0].text


def test_a_mail_that_could_not_be_queued_is_sent_with_the_next_loss(buses: Buses, clock: Clock) -> None:
    """A queue that is down holds up nothing, and keeps nothing back either."""
    tell, buses.shut, buses.down = partners(buses, clock).tell, {ACME}, {"SendMessageBatch"}
    assert tell([of(ACME, 1)]) == [True]
    buses.down = set()
    tell([of(ACME, 2)])
    assert (buses.lost, len(buses.queued)) == (2, 1)


def test_a_slow_bus_costs_a_batch_a_few_seconds(buses: Buses, clock: Clock) -> None:
    """After six seconds no further account is begun: its events are counted, and told."""

    def slow(**_given: Any) -> dict[str, Any]:
        clock.sleep(6)
        raise ClientError({"Error": {"Code": "InternalFailure"}}, "PutEvents")

    tell = partners(buses, clock).tell
    with mock.patch.object(buses, "put_events", slow):
        assert tell([of(ACME, 1), of(GLOBEX, 2)]) == [True, True]
    assert (buses.lost, buses.entries) == (2, [])
    assert ["did not answer" in buses.notices[0].text, "took too long" in buses.notices[1].text] == [True] * 2
    # It did not fail: nobody asked it.
    tell([of(GLOBEX, 3)])
    assert buses.taken_by(GLOBEX) == ["id-3"]


def test_no_record_sends_events_elsewhere(buses: Buses, clock: Clock) -> None:
    """An entry that names another account's bus, whoever wrote it, sends nothing there."""
    crossed = AccountDocument(account=ACME, name="acme", event_bus=bus_of(GLOBEX))
    partners(buses, clock, lambda _account: crossed).tell([of(ACME, 1)])
    assert (buses.entries, buses.lost) == ([], 1)


def test_what_has_another_form(buses: Buses, clock: Clock) -> None:
    """It is counted, and the account's other events are told."""
    partners(buses, clock).tell([of(ACME, 1, grantee=7), of(ACME, 2)])
    assert (buses.taken_by(ACME), buses.lost) == (["id-2"], 1)
    assert "another form" in buses.notices[0].text


@pytest.mark.parametrize("error", [Unavailable("no", retry_after=1), DatabaseRefused("no"), ValueError("no")])
def test_accounts_that_cannot_be_read(buses: Buses, clock: Clock, error: Exception) -> None:
    """Who has a bus is not known: all are counted, and the table is asked once, and again 10 s later."""
    find = mock.Mock(side_effect=error)
    tell = partners(buses, clock, find).tell
    assert tell([of(ACME, 1), of(GLOBEX, 2)]) == [True, True]
    assert (find.call_count, buses.lost) == (1, 2)
    find.side_effect = ENTRIES.get
    clock.sleep(11)
    tell([of(ACME, 3)])
    assert buses.taken_by(ACME) == ["id-3"]


def test_an_entry_is_remembered_for_seconds(clock: Clock) -> None:
    """So a new bus is told at once, and a batch of a hundred events asks once; so does none."""
    find = mock.Mock(side_effect=[None, ENTRIES[ACME]])
    directory = Directory(find, partial(seconds, clock))
    assert [directory.find_name(ACME), directory.find(ACME)] == [None, None]
    clock.sleep(6)
    assert [directory.find_name(ACME), directory.find(ACME)] == ["acme", ENTRIES[ACME]]
    assert find.call_count == 2


def test_a_name_that_cannot_be_read_is_none(clock: Clock) -> None:
    """A mail goes out without it."""
    directory = Directory(mock.Mock(side_effect=ValueError), partial(seconds, clock))
    assert directory.find_name(ACME) is None
