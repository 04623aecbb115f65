"""What falls due."""

from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.shapes.debt import Debt

DEBT = (Operation("get_debt", "GET", "/security/debt", "What falls due, and how late.", {200: Debt}),)
