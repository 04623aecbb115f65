"""Every new audit event to EventBridge, and digests of what matters to the security team's mails."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker import init_phase
from grant_broker.aws.clients import clients
from grant_broker.aws.event_bus import EventBus
from grant_broker.aws.mails import MailQueue, MailTopic
from grant_broker.events.announce import Channels, announce
from grant_broker.events.digest import send_digest
from grant_broker.events.directory import Directory, account_reader
from grant_broker.events.partners import Partners
from grant_broker.events.settings import EventsSettings
from grant_broker.events.stream import read_events
from grant_broker.logs import share_handlers
from grant_broker.metrics import measurer, published

logger = Logger()
share_handlers(logger)
metrics = Metrics()
measure = measurer(metrics)
# A function that is not told all of it does not start.
settings = EventsSettings.from_environment(os.environ)


@cache
def channels() -> Channels:
    """Where events are told, made once a process."""
    mails = MailQueue(clients().sqs(), settings.mail_queue)
    accounts = Directory(account_reader(clients().brief_dynamodb(), settings))
    partners = Partners(EventBus(clients().partner_events()), accounts, mails, measure)
    return Channels.of(EventBus(clients().events()), mails, partners)


@cache
def mail_topic() -> MailTopic:
    """Where digests are sent, made once a process."""
    return MailTopic(clients().sns(), settings.mail_topic)


# In the init phase, which Lambda gives a whole processor; what sends digests, which are few, later.
channels()


def note_usage_of(records: list[dict[str, Any]]) -> int:
    """Note whose grants a batch of CloudTrail's events shows in use."""
    # Few stacks look for use, and no mail and no other event waits for what reads requests.
    from grant_broker.aws.dynamodb import DynamoDb  # noqa: PLC0415
    from grant_broker.aws.tables import Tables  # noqa: PLC0415
    from grant_broker.aws.usages import Usages  # noqa: PLC0415
    from grant_broker.events.usage import note_usage  # noqa: PLC0415

    tables = Tables(DynamoDb(clients().dynamodb()), settings.request_table, None)
    return note_usage(Usages(tables), [record["body"] for record in records], lambda: datetime.now(UTC))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """A batch of the request table's stream, or of the queue that gathers what is to be mailed."""
    records = event["Records"]
    if records[0].get("eventSourceARN") == settings.usage_queue:
        logger.info("usage", extra={"events": len(records), "written": note_usage_of(records)})
        return {}
    if records[0].get("eventSource") == "aws:sqs":
        send_digest(mail_topic(), [record["body"] for record in records])
        logger.info("mailed", extra={"notices": len(records)})
        return {}
    with published(metrics):
        failed = announce(channels(), read_events(records, measure))
    # Lambda sends the stream's batch again from the first of these on.
    numbers = [r["dynamodb"]["SequenceNumber"] for r in records if r["eventID"] in failed]
    logger.info("announced", extra={"announced": len(records) - len(numbers), "left": len(numbers)})
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


init_phase.end()
