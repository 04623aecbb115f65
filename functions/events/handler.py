"""The request table's stream: every new audit event to EventBridge, and mails to the security team."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker.aws.announcements import EventBus, Mailbox
from grant_broker.aws.clients import session
from grant_broker.aws.items import plain, record_of
from grant_broker.domain.trail import Event
from grant_broker.events.announce import Notices, announce

logger = Logger()


@cache
def notices() -> Notices:
    """Where this function tells what happened, made once a process."""
    topic = os.environ.get("EVENT_TOPIC", "")
    return Notices(EventBus(session().client("events")), Mailbox(session().client("sns"), topic))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Announce a batch in order; the first that failed is where the stream starts again."""
    changes = [record["dynamodb"] for record in event["Records"]]
    done = announce(notices(), [record_of(Event, plain(change["NewImage"])) for change in changes])
    failed = [{"itemIdentifier": change["SequenceNumber"]} for change in changes[done:][:1]]
    logger.info("announced", extra={"announced": done, "left": len(changes) - done})
    return {"batchItemFailures": failed}
