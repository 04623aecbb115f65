"""EventBridge, SQS and SNS for the tests of what is announced: what they were given, and what they refuse."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from botocore.exceptions import ClientError

from grant_broker.aws.event_bus import EventBus
from grant_broker.aws.mails import MailQueue
from grant_broker.domain.notices import Notice, notice_of
from grant_broker.domain.queued_notices import read_notice
from grant_broker.domain.trail import GENESIS, Event
from grant_broker.events.announce import Channels
from grant_broker.events.directory import Directory, Find
from grant_broker.events.partners import Partners
from tests.local_aws import limits

QUEUE = "https://sqs.eu-central-1.amazonaws.com/111122223333/mails"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def event(number: int = 1, kind: str = "active", **detail: Any) -> Event:
    """An event of some request."""
    return Event(
        id=f"id-{number}", subject="request#1", sequence=number, type=kind,
        at=NOW + timedelta(seconds=number),
        by="arn:aws:iam::444455556666:role/partner", request_id="1", detail=detail, previous=GENESIS,
    ).sealed()  # fmt: skip


def told_of(kind: str = "submitted", **detail: Any) -> Notice:
    """What is told of an event of some request."""
    notice = notice_of(event(kind=kind, **detail))
    assert notice is not None
    return notice


def told_about(subject: str, kind: str, **detail: Any) -> Notice:
    """What is told of an event about something else than a request."""
    told = event(kind=kind, **detail).model_copy(update={"subject": subject, "request_id": None})
    notice = notice_of(told)
    assert notice is not None
    return notice


def channels_to(sent: "Sent", find: Find = lambda _account: None) -> Channels:
    """The ways of telling, none of which waits between attempts; `find` reads what is said of an account."""
    client = cast("Any", sent)
    bus, mails = EventBus(client, lambda _: None), MailQueue(client, QUEUE)
    return Channels.of(bus, mails, Partners(bus, Directory(find), mails, sent.measure))


class Sent:
    """EventBridge, the mails' queue and topic: what they were given, and what they refuse.

    `refused`: ids of events that PutEvents refuses, in its first `relents_after` calls where that is given.
    `full`: whether SQS refuses the second of each call's entries.
    """

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self.queued: list[str] = []
        self.mails: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.refused: set[str] = set()
        self.relents_after: int | None = None
        self.full = False
        self.down: set[str] = set()
        self.measured: list[tuple[str, float]] = []

    @property
    def published(self) -> list[str]:
        """The ids of the events that EventBridge took."""
        return [json.loads(entry["Detail"])["id"] for entry in self.entries]

    @property
    def notices(self) -> list[Notice]:
        """The notices that SQS took."""
        return [read_notice(body) for body in self.queued]

    def measure(self, name: str, value: float) -> None:
        """What was measured."""
        self.measured.append((name, value))

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - EventBridge's name
        """PutEvents."""
        self._answer("PutEvents")
        limits.check("events", "PutEvents", {"Entries": Entries})
        self.calls.append(len(Entries))
        refused = set() if 0 <= (self.relents_after or -1) < len(self.calls) else self.refused
        ids = [json.loads(entry["Detail"])["id"] for entry in Entries]
        self.entries += [e for e, name in zip(Entries, ids, strict=True) if name not in refused]
        return {"Entries": [{"ErrorCode": "Throttled"} if name in refused else {} for name in ids]}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - SQS's names
        """SendMessageBatch."""
        self._answer("SendMessageBatch")
        limits.check("sqs", "SendMessageBatch", {"Entries": Entries})
        assert QueueUrl == QUEUE
        taken = [entry for place, entry in enumerate(Entries) if not (self.full and place == 1)]
        self.queued += [entry["MessageBody"] for entry in taken]
        failed = [{"Id": entry["Id"], "Code": "Busy"} for entry in Entries if entry not in taken]
        return {"Failed": failed} if failed else {}

    def publish(self, **mail: str) -> None:
        """Publish."""
        self._answer("Publish")
        self.mails.append(mail)

    def _answer(self, operation: str) -> None:
        self.asked.append(operation)
        if operation in self.down:
            raise ClientError({"Error": {"Code": "InternalFailure"}}, operation)
