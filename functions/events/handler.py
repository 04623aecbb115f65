"""The request table's stream: every new audit event to EventBridge, and mails to the security team."""

import os
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker.aws.announcements import Mailbox
from grant_broker.aws.clients import events_client, sns_client
from grant_broker.aws.event_bus import EventBus
from grant_broker.aws.items import plain, record_of
from grant_broker.domain.trail import Event
from grant_broker.events.announce import Channels, announce
from grant_broker.metrics import published

logger = Logger()
metrics = Metrics()


@cache
def channels() -> Channels:
    """Where this function tells what happened, made once a process."""
    topic = os.environ.get("MAIL_TOPIC", "")
    return Channels.of(EventBus(events_client()), Mailbox(sns_client(), topic))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Announce a batch; what failed comes again, and with it what the stream holds after it."""
    records = event["Records"]
    with published(metrics):
        failed = announce(channels(), dict(_events(records)))
    numbers = [r["dynamodb"]["SequenceNumber"] for r in records if r["eventID"] in failed]
    logger.info("announced", extra={"announced": len(records) - len(numbers), "left": len(numbers)})
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


def _events(records: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Event]]:
    """The events by the ids of their records. The broker writes none that cannot be read."""
    for record in records:
        item = record["dynamodb"]["NewImage"]
        try:
            event = record_of(Event, plain(item))
            event.model_dump_json()
        except (ValueError, TypeError):
            # It stays in the table, where audit verify finds it, and must not hold up the others.
            logger.exception("an event cannot be read", extra={"pk": item.get("pk"), "sk": item.get("sk")})
            metrics.add_metric(name="UnreadableEvents", unit=MetricUnit.Count, value=1)
        else:
            yield record["eventID"], event
