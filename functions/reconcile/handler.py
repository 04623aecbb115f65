"""Every five minutes: the grants that KMS shows against the broker's records and approvals."""

import os
from dataclasses import asdict
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker import init_phase
from grant_broker.logs import share_handlers
from grant_broker.metrics import measurer, published
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.run import reconcile
from grant_broker.reconcile.settings import ReconcileSettings

logger = Logger()
share_handlers(logger)
metrics = Metrics()
measure = measurer(metrics)
# A function that is not told all of it does not start.
settings = ReconcileSettings.from_environment(os.environ)


@cache
def broker() -> ReconcileBroker:
    """The broker of this function, made once a process."""
    return ReconcileBroker.build(settings, measure=measure)


# In the init phase, which Lambda gives a whole processor.
broker()


@logger.inject_lambda_context
def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One run; its report is logged and returned."""
    with published(metrics):
        report = asdict(reconcile(broker(), lambda: context.get_remaining_time_in_millis() / 1000))
    logger.info("reconciled", extra=report)
    return report


init_phase.end()
