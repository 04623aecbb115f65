"""Requests as approvers see them: decide, revoke, ask why."""

from grant_broker.api import searches
from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.query import PAGED
from grant_broker.api.shapes.requests import RequestSeen, RequestWithTrail
from grant_broker.api.shapes.third_parties import Explanation, Page
from grant_broker.domain.decisions import Decision, Revocation
from grant_broker.domain.question import Question

_SEEN = "/security/requests/{request_id}"

REQUESTS = (
    Operation(
        "get_seen_requests",
        "GET",
        "/security/requests",
        "Every account's requests, newest first.",
        {200: Page[RequestSeen]},
        query=(*searches.REQUESTS, *PAGED),
    ),
    Operation("get_seen_request", "GET", _SEEN, "One request with its trail.", {200: RequestWithTrail}),
    Operation(
        "post_decision",
        "POST",
        f"{_SEEN}/decision",
        "Vote on a request; one denial is final.",
        {200: RequestSeen},
        body=Decision,
        repeatable=True,
    ),
    Operation(
        "revoke_grant",
        "DELETE",
        f"{_SEEN}/grant",
        "Revoke now.",
        {202: RequestSeen},
        body=Revocation,
        conflicts=True,
    ),
    Operation(
        "post_revocation",
        "POST",
        f"{_SEEN}/revocation",
        "Revoke now; for clients whose DELETE has no body.",
        {202: RequestSeen},
        body=Revocation,
        repeatable=True,
    ),
    Operation(
        "post_seen_why",
        "POST",
        f"{_SEEN}/why",
        "Why KMS allows or refuses a call on the request's key, by the whole key policy.",
        {200: Explanation},
        body=Question,
        repeatable=True,
    ),
)
