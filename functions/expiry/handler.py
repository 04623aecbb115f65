"""End grants: every minute what the agenda has, and from the stream at once what became `ending`."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker import init_phase
from grant_broker.domain.checks import Function
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.run import run
from grant_broker.expiry.settings import ExpirySettings
from grant_broker.expiry.stream import end_at_once
from grant_broker.logs import share_handlers
from grant_broker.metrics import measurer, published

logger = Logger()
share_handlers(logger)
metrics = Metrics()
measure = measurer(metrics)
# A function that is not told all of it does not start.
settings = ExpirySettings.from_environment(os.environ)


@cache
def broker() -> ExpiryBroker:
    """The broker of this function, made once a process."""
    return ExpiryBroker.build(settings, measure=measure)


# In the init phase, which Lambda gives a whole processor.
broker()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One batch of the stream, one scheduled run, or the minute's checks of this function's own right."""
    with published(metrics):
        if event.get("check") == Function.EXPIRY:
            # Once an hour for each key: a run that ends grants need not wait for the policy engine.
            from grant_broker.expiry import check  # noqa: PLC0415

            return {"checked": check.run(broker())}
        return _end(event["Records"]) if event.get("Records") else _run(context)


def _run(context: LambdaContext) -> dict[str, Any]:
    report = run(broker(), lambda: context.get_remaining_time_in_millis() / 1000)
    logger.info("run ended", extra={"done": report.done, "failed": report.failed})
    return {"done": report.done, "failed": report.failed}


def _end(records: list[dict[str, Any]]) -> dict[str, Any]:
    changes = [record["dynamodb"] for record in records]
    # By its key, which every item has; the rest of it is for the record's own reading to judge, but for the
    # Region, which only says whose turn it is.
    numbers = {
        change["NewImage"]["pk"]["S"].removeprefix("request#"): change["SequenceNumber"] for change in changes
    }
    key_arns = {
        change["NewImage"]["pk"]["S"].removeprefix("request#"): change["NewImage"].get("key_arn", {}).get("S")
        for change in changes
    }
    failed = end_at_once(broker(), key_arns)
    return {"batchItemFailures": [{"itemIdentifier": numbers[request_id]} for request_id in failed]}


init_phase.end()
