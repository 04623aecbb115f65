"""Every route of the API: what it takes and what it may answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from grant_broker.api.openapi.schemas import KeyPatch, Shape
from grant_broker.api.searches import EVENTS, REQUESTS
from grant_broker.api.security_shapes import (
    AccessReport,
    Approval,
    ChangedKey,
    Debt,
    Event,
    Key,
    KeyChecks,
    KeyPolicyAdvice,
    MassRevocation,
    MassRevocationMade,
    NamedAccount,
    Proposal,
    RequestSeen,
    RequestWithTrail,
    Review,
    Votes,
)
from grant_broker.api.shapes import Contract, Explanation, Forecast, Offer, Page, Request, RequestShown
from grant_broker.domain.accounts import AccountDocument
from grant_broker.domain.approvals import StandingApproval
from grant_broker.domain.break_glass import Emergency
from grant_broker.domain.decisions import Decision, Revocation
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.mass_revocations import MassRevocationAsked
from grant_broker.domain.question import Question
from grant_broker.domain.reviews import Look
from grant_broker.domain.submission import Extension, Submission


@dataclass(frozen=True)
class Operation:
    """One method of one path. `answers` are the successes by status; most refusals follow from the rest.

    `conflicts`: may be 409. `repeatable`: takes an Idempotency-Key; `conditional`: If-Match. `follow`:
    operations on what was answered, by its id or by the key's.
    """

    name: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, Shape]
    body: type[BaseModel] | None = None
    query: tuple[str, ...] = ()
    conflicts: bool = False
    repeatable: bool = False
    conditional: bool = False
    follow: tuple[str, ...] = ()

    @property
    def refusals(self) -> tuple[int, ...]:
        """The statuses of its problem documents."""
        missing = {404} if "{" in self.path else set()
        conflict = {409} if self.conflicts or self.repeatable else set()
        large = {413} if self.body else set()
        stale = {412} if self.conditional else set()
        return tuple(sorted({400, 403, 429, 503} | missing | conflict | large | stale))


_PAGED = ("limit", "cursor")
_REQUEST = "/requests/{request_id}"
_SEEN = "/security/requests/{request_id}"
_APPROVAL = "/security/approvals/{approval_id}"
_KEY = "/security/keys/{key_id}"
_ACCOUNT = "/security/accounts/{account}"
_REVOCATION = "/security/revocations/{revocation_id}"
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
        query=("status", *_PAGED),
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
        "get_keys", "GET", "/keys", "What the caller's account may ask for.", {200: Page[Offer]}, query=_PAGED
    ),
    Operation("get_openapi", "GET", "/openapi.json", "This document, the caller's side.", {200: Contract}),
)

SECURITY_TEAM = (
    Operation(
        "get_seen_requests",
        "GET",
        "/security/requests",
        "Every account's requests, newest first.",
        {200: Page[RequestSeen]},
        query=(*REQUESTS, *_PAGED),
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
    Operation(
        "get_approvals",
        "GET",
        "/security/approvals",
        "Standing approvals, newest first.",
        {200: Page[Approval]},
        query=_PAGED,
    ),
    Operation(
        "post_approval",
        "POST",
        "/security/approvals",
        "Approve ahead; this is the maker's vote.",
        {201: Approval},
        body=StandingApproval,
        repeatable=True,
        follow=("get_approval", "delete_approval", "post_approval_decision"),
    ),
    Operation("get_approval", "GET", _APPROVAL, "One standing approval.", {200: Approval}),
    Operation(
        "delete_approval",
        "DELETE",
        _APPROVAL,
        "Withdraw a standing approval.",
        {204: None},
        query=("revoke_active",),
        conflicts=True,
    ),
    Operation(
        "post_approval_decision",
        "POST",
        f"{_APPROVAL}/decision",
        "Vote on a standing approval.",
        {200: Approval},
        body=Decision,
        repeatable=True,
    ),
    Operation("get_managed_keys", "GET", "/security/keys", "Managed keys.", {200: Page[Key]}, query=_PAGED),
    Operation("get_managed_key", "GET", _KEY, "One managed key.", {200: Key}),
    Operation(
        "put_managed_key",
        "PUT",
        _KEY,
        "Register a key or change its limits; with a quorum above 1, a vote.",
        {200: ChangedKey, 201: ChangedKey, 202: Votes},
        body=KeyDocument,
        conflicts=True,
        conditional=True,
        follow=("get_managed_key", "get_access", "delete_managed_key", "get_proposals"),
    ),
    Operation(
        "patch_managed_key",
        "PATCH",
        _KEY,
        "Change some of a key's limits; with a quorum above 1, a vote.",
        {200: ChangedKey, 202: Votes},
        body=KeyPatch,
        conflicts=True,
        conditional=True,
    ),
    Operation(
        "get_proposals",
        "GET",
        f"{_KEY}/proposals",
        "The changes of its limits that wait for votes.",
        {200: Page[Proposal]},
    ),
    Operation(
        "delete_managed_key",
        "DELETE",
        _KEY,
        "Close a key to new grants; live ones run to their time.",
        {204: None},
        conflicts=True,
    ),
    Operation(
        "get_access",
        "GET",
        f"{_KEY}/access",
        "Who can use or manage a key, and by what.",
        {200: AccessReport},
        query=_PAGED,
        conflicts=True,
    ),
    Operation("get_check", "GET", f"{_KEY}/check", "What the broker's last checks found.", {200: KeyChecks}),
    Operation(
        "post_check",
        "POST",
        f"{_KEY}/check",
        "Have a key checked within a minute.",
        {202: KeyChecks},
        repeatable=True,
    ),
    Operation(
        "get_key_policy",
        "GET",
        f"{_KEY}/policy",
        "What a key's policy must say for the broker.",
        {200: KeyPolicyAdvice},
        query=("key_arn",),
    ),
    Operation(
        "get_events",
        "GET",
        "/security/events",
        "The audit trail, oldest first.",
        {200: Page[Event]},
        query=("request", *EVENTS, *_PAGED),
    ),
    Operation("get_debt", "GET", "/security/debt", "What falls due, and how late.", {200: Debt}),
    Operation(
        "get_accounts",
        "GET",
        "/security/accounts",
        "The accounts that are named, newest first.",
        {200: Page[NamedAccount]},
        query=_PAGED,
    ),
    Operation("get_account", "GET", _ACCOUNT, "What is said of an account.", {200: NamedAccount}),
    Operation(
        "put_account",
        "PUT",
        _ACCOUNT,
        "Name a trusted account, whom to ask, and where its own requests' events go.",
        {200: NamedAccount, 201: NamedAccount},
        body=AccountDocument,
        conflicts=True,
        conditional=True,
    ),
    Operation(
        "delete_account",
        "DELETE",
        _ACCOUNT,
        "Take an account's entry away; its events go to no bus any more.",
        {204: None},
        conflicts=True,
    ),
    Operation(
        "post_mass_revocation",
        "POST",
        "/security/revocations",
        "Block what is selected, and end all of it: the kill switch.",
        {202: MassRevocationMade},
        body=MassRevocationAsked,
        repeatable=True,
        follow=("get_mass_revocation", "delete_mass_revocation"),
    ),
    Operation(
        "get_mass_revocations",
        "GET",
        "/security/revocations",
        "Mass revocations, newest first.",
        {200: Page[MassRevocation]},
        query=_PAGED,
    ),
    Operation(
        "get_mass_revocation",
        "GET",
        _REVOCATION,
        "How far a mass revocation is, and what it blocks.",
        {200: MassRevocation},
    ),
    Operation(
        "delete_mass_revocation",
        "DELETE",
        _REVOCATION,
        "Lift its block; what was to end ends all the same.",
        {204: None},
        conflicts=True,
    ),
    Operation(
        "get_reviews",
        "GET",
        "/security/reviews",
        "The reviews that are owed, newest first.",
        {200: Page[Review]},
        query=_PAGED,
    ),
    Operation(
        "post_review",
        "POST",
        "/security/reviews/{kind}/{review_id}",
        "Sign off what somebody else did.",
        {200: Review},
        body=Look,
        conflicts=True,
        repeatable=True,
    ),
)

OPERATIONS = (*THIRD_PARTIES, *SECURITY_TEAM)
