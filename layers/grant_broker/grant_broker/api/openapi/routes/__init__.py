"""Every route of the API: what it takes and what it may answer. The same subjects as in `api/security`."""

from grant_broker.api.openapi.routes.accounts import ACCOUNTS
from grant_broker.api.openapi.routes.approvals import APPROVALS
from grant_broker.api.openapi.routes.debt import DEBT
from grant_broker.api.openapi.routes.events import EVENTS
from grant_broker.api.openapi.routes.keys import KEYS
from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.openapi.routes.requests import REQUESTS
from grant_broker.api.openapi.routes.reviews import REVIEWS
from grant_broker.api.openapi.routes.revocations import REVOCATIONS
from grant_broker.api.openapi.routes.third_parties import THIRD_PARTIES

SECURITY_TEAM = (*REQUESTS, *APPROVALS, *KEYS, *EVENTS, *DEBT, *ACCOUNTS, *REVOCATIONS, *REVIEWS)
OPERATIONS = (*THIRD_PARTIES, *SECURITY_TEAM)

__all__ = ["OPERATIONS", "SECURITY_TEAM", "THIRD_PARTIES", "Operation"]
