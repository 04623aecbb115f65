"""EventBridge and SNS: where audit events and mails go."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.domain.mail import Mail, without_tokens
from grant_broker.domain.trail import Event

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sns import SNSClient

SOURCE = "grant-broker"
TOGETHER = 10
"""Entries of one PutEvents call, at most."""


class EventBus:
    """The default event bus."""

    def __init__(self, client: "EventBridgeClient") -> None:
        self._client = client

    def put(self, events: Sequence[Event]) -> list[bool]:
        """Publish at most TOGETHER events; for each, whether EventBridge took it."""
        try:
            answer = self._client.put_events(Entries=[_entry(event) for event in events])
        except (ClientError, BotoCoreError):
            return [False] * len(events)
        return ["ErrorCode" not in entry for entry in answer["Entries"]]


class Mailbox:
    """The topic that the security team is subscribed to; without one nothing is sent."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, mail: Mail | None) -> bool:
        """Publish a mail; whether SNS took it, or there was nothing to send."""
        if mail is None or not self._topic_arn:
            return True
        try:
            self._client.publish(TopicArn=self._topic_arn, Subject=mail.subject, Message=mail.message)
        except (ClientError, BotoCoreError):
            return False
        return True


def _entry(event: Event) -> "PutEventsRequestEntryTypeDef":
    content = without_tokens(event.model_dump(mode="json"))
    return {
        "Source": SOURCE,
        "DetailType": event.type,
        "Detail": json.dumps(content, ensure_ascii=True),
        "Time": event.at,
    }
