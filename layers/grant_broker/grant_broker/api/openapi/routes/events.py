"""The audit trail."""

from grant_broker.api import searches
from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.query import PAGED
from grant_broker.api.shapes.events import Event
from grant_broker.api.shapes.third_parties import Page

EVENTS = (
    Operation(
        "get_events",
        "GET",
        "/security/events",
        "The audit trail, oldest first.",
        {200: Page[Event]},
        query=("request", *searches.EVENTS, *PAGED),
    ),
)
