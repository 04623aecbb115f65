"""Every five minutes: the grants that KMS shows against the broker's records and approvals."""

import os
from dataclasses import asdict, replace
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker.aws.clients import reading_kms_client
from grant_broker.aws.kms import Kms
from grant_broker.broker import Broker
from grant_broker.reconcile.run import reconcile

logger = Logger()
metrics = Metrics()


def measure(name: str, value: float) -> None:
    """Add a metric of this run."""
    unit = MetricUnit.Seconds if name.endswith("Seconds") else MetricUnit.Count
    metrics.add_metric(name=name, unit=unit, value=value)


@cache
def broker() -> Broker:
    """The broker of this function, made once a process."""
    made = Broker.from_environment(os.environ, measure=measure)
    return replace(made, kms=Kms(reading_kms_client()))


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One run; its report is logged and returned."""
    report = asdict(reconcile(broker(), lambda: context.get_remaining_time_in_millis() / 1000))
    logger.info("reconciled", extra=report)
    return report
