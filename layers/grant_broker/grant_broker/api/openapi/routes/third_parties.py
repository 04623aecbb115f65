"""Third parties: submit, read, withdraw, take up, release and extend requests."""

from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.query import PAGED
from grant_broker.api.shapes.third_parties import (
    Contract,
    Explanation,
    Forecast,
    Offer,
    Page,
    Request,
    RequestShown,
)
from grant_broker.domain.break_glass import Emergency
from grant_broker.domain.question import Question
from grant_broker.domain.submission import Extension, Submission

_REQUEST = "/requests/{request_id}"
_OWN = (
    "get_request",
    "delete_request",
    "post_grant",
    "delete_grant",
    "post_extension",
    "get_seen_request",
    "post_decision",
    "revoke_grant",
)

THIRD_PARTIES = (
    Operation(
        "post_request",
        "POST",
        "/requests",
        "Submit a request; covered by an approval, be granted it.",
        {200: Forecast, 201: Request},
        body=Submission,
        query=("dry_run",),
        repeatable=True,
        follow=_OWN,
    ),
    Operation(
        "get_requests",
        "GET",
        "/requests",
        "The account's requests, newest first.",
        {200: Page[RequestShown]},
        query=("status", *PAGED),
    ),
    Operation("get_request", "GET", _REQUEST, "One request of the account.", {200: Request}),
    Operation(
        "delete_request",
        "DELETE",
        _REQUEST,
        "Withdraw a pending or approved request.",
        {200: RequestShown},
        conflicts=True,
    ),
    Operation(
        "post_grant",
        "POST",
        f"{_REQUEST}/grant",
        "Take an approved request up; repeated, the same grant.",
        {200: Request, 201: Request},
        conflicts=True,
        repeatable=True,
    ),
    Operation(
        "delete_grant",
        "DELETE",
        f"{_REQUEST}/grant",
        "Release an active grant before its time.",
        {202: RequestShown},
        conflicts=True,
    ),
    Operation(
        "post_extension",
        "POST",
        f"{_REQUEST}/extension",
        "Go on with an active grant without a gap: a request of its own.",
        {201: Request},
        body=Extension,
        repeatable=True,
        follow=_OWN,
    ),
    Operation(
        "post_break_glass",
        "POST",
        f"{_REQUEST}/break-glass",
        "In an emergency, be granted a pending request at once; a review of it is owed.",
        {201: Request},
        body=Emergency,
        conflicts=True,
        repeatable=True,
    ),
    Operation(
        "post_why",
        "POST",
        f"{_REQUEST}/why",
        "Why KMS allows or refuses a call under this request's grant.",
        {200: Explanation},
        body=Question,
        repeatable=True,
    ),
    Operation(
        "get_keys", "GET", "/keys", "What the caller's account may ask for.", {200: Page[Offer]}, query=PAGED
    ),
    Operation("get_openapi", "GET", "/openapi.json", "This document, the caller's side.", {200: Contract}),
)
