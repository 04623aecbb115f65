"""The security team: decide, revoke, approve ahead, set limits. Alone writes the approval table."""

import os
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker import init_phase
from grant_broker.api.caller import ensure_approver
from grant_broker.api.connections import connect
from grant_broker.api.routing import Api
from grant_broker.api.security import accounts, approvals, debt, events, keys, requests, reviews, revocations
from grant_broker.approvals import mass_revocations
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.settings import ApprovalsSettings
from grant_broker.domain.people import Caller
from grant_broker.logs import share_handlers
from grant_broker.metrics import measurer, published

logger = Logger()
share_handlers(logger)
metrics = Metrics()
measure = measurer(metrics)
_JOBS_WITHIN = timedelta(seconds=15)  # of the function's 25 s
# A function that is not told all of it does not start.
settings = ApprovalsSettings.from_environment(os.environ)


@cache
def broker() -> ApprovalsBroker:
    """The broker of this function, made once a process."""
    return ApprovalsBroker.build(settings, measure=measure)


# In the init phase, which no caller waits for.
connect(broker(), os.environ)


def ensure_permitted(caller: Caller) -> None:
    """NotPermitted for who is no approver."""
    ensure_approver(caller, home_account=settings.home_account, role_ids=settings.approver_role_ids)


api = Api(ensure_permitted)
for part in (requests, approvals, revocations, keys, events, debt, accounts, reviews):
    api.include(part.routes, lambda: broker())  # noqa: PLW0108 - the broker of the call, not of this line


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One API call, or the minute's work on mass revocations that are not done."""
    with published(metrics):
        if event.get("job") == "revocations":
            return {"jobs": mass_revocations.run(broker(), _JOBS_WITHIN)}
        return api.resolve(event, context)


init_phase.end()
