"""The API's client, as the security team uses it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Unpack, cast

from grant_broker.client.asked import (
    EventFilters,
    MassRevocationAsked,
    Question,
    RequestFilters,
    StandingApproval,
)
from grant_broker.client.durations import Span, iso_duration
from grant_broker.client.http import Connection
from grant_broker.client.pages import pages

if TYPE_CHECKING:
    from grant_broker.api.shapes.access import AccessReport, KeyPolicyAdvice
    from grant_broker.api.shapes.accounts import NamedAccount
    from grant_broker.api.shapes.approvals import Approval
    from grant_broker.api.shapes.debt import Debt
    from grant_broker.api.shapes.events import Event
    from grant_broker.api.shapes.keys import ChangedKey, Key, KeyChecks, Limits, Proposal, Votes
    from grant_broker.api.shapes.requests import RequestSeen, RequestWithTrail
    from grant_broker.api.shapes.reviews import Review
    from grant_broker.api.shapes.revocations import MassRevocation, MassRevocationMade
    from grant_broker.api.shapes.third_parties import Explanation


def limits_of(key: "Key") -> "Limits":
    """A key's limits alone, as they are sent: without what the answer says of its caller."""
    return cast("Limits", {name: value for name, value in key.items() if name != "may_decide"})


class SecurityTeam:
    """What the security team may do. Every method raises GrantBrokerError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_requests(self, **filters: Unpack[RequestFilters]) -> Iterator["RequestSeen"]:
        """Every account's requests, newest first unless the order `answer_by` is asked for."""
        query = cast("dict[str, str | None]", filters)
        return cast("Iterator[RequestSeen]", pages(self._connection, "/security/requests", query))

    def get_request(self, request_id: str) -> "RequestWithTrail":
        """One request with what was found out about it, and its trail."""
        return cast("RequestWithTrail", self._get(f"/security/requests/{request_id}"))

    def approve(self, request_id: str, *, comment: str = "", duration: Span | None = None) -> "RequestSeen":
        """Vote for a request; a duration shortens it."""
        shorter = {} if duration is None else {"duration": iso_duration(duration)}
        return self._decide(request_id, {"verdict": "approve", "comment": comment, **shorter})

    def deny(self, request_id: str, *, comment: str) -> "RequestSeen":
        """Deny a request, which is final."""
        return self._decide(request_id, {"verdict": "deny", "comment": comment})

    def revoke(self, request_id: str, *, reason: str) -> "RequestSeen":
        """Take a grant, or what was approved, back now."""
        answer = self._connection.call(
            "POST", f"/security/requests/{request_id}/revocation", {"reason": reason}
        )
        return cast("RequestSeen", answer.body)

    def list_approvals(self) -> Iterator["Approval"]:
        """Standing approvals, newest first."""
        return cast("Iterator[Approval]", pages(self._connection, "/security/approvals"))

    def get_approval(self, approval_id: str) -> "Approval":
        """One standing approval."""
        return cast("Approval", self._get(f"/security/approvals/{approval_id}"))

    def approve_ahead(self, **approval: Unpack[StandingApproval]) -> "Approval":
        """Make a standing approval, which is one's vote for it."""
        return cast("Approval", self._connection.call("POST", "/security/approvals", approval).body)

    def decide_on_approval(self, approval_id: str, verdict: str, *, comment: str = "") -> "Approval":
        """Vote on a standing approval that waits for votes."""
        vote = {"verdict": verdict, "comment": comment}
        answer = self._connection.call("POST", f"/security/approvals/{approval_id}/decision", vote)
        return cast("Approval", answer.body)

    def withdraw_approval(self, approval_id: str, *, revoke_active: bool = False) -> None:
        """Withdraw a standing approval, and end what it covered if so asked."""
        query = {"revoke_active": "true" if revoke_active else "false"}
        self._connection.call("DELETE", f"/security/approvals/{approval_id}", query=query)

    def revoke_many(self, **asked: Unpack[MassRevocationAsked]) -> "MassRevocationMade":
        """Pull the kill switch: block what is selected, and have all of it ended."""
        return cast("MassRevocationMade", self._connection.call("POST", "/security/revocations", asked).body)

    def list_revocations(self) -> Iterator["MassRevocation"]:
        """Mass revocations, newest first."""
        return cast("Iterator[MassRevocation]", pages(self._connection, "/security/revocations"))

    def get_revocation(self, revocation_id: str) -> "MassRevocation":
        """One mass revocation: how far it is, and what it blocks."""
        return cast("MassRevocation", self._get(f"/security/revocations/{revocation_id}"))

    def lift_block(self, revocation_id: str) -> None:
        """Lift a mass revocation's block; what was to end ends all the same."""
        self._connection.call("DELETE", f"/security/revocations/{revocation_id}")

    def list_keys(self) -> Iterator["Key"]:
        """Managed keys."""
        return cast("Iterator[Key]", pages(self._connection, "/security/keys"))

    def get_key(self, key_id: str) -> tuple["Key", str]:
        """A key's limits, and their version for `if_match`."""
        answer = self._connection.call("GET", f"/security/keys/{key_id}")
        return cast("Key", answer.body), answer.headers["etag"]

    def put_key(self, key_id: str, document: object, *, if_match: str | None = None) -> "ChangedKey | Votes":
        """Register a key, or set its limits, all of them; Votes where more persons must send the same."""
        return cast("ChangedKey | Votes", self._put(f"/security/keys/{key_id}", document, if_match))

    def close_key(self, key_id: str) -> None:
        """Close a key to new grants; live ones run to their time."""
        self._connection.call("DELETE", f"/security/keys/{key_id}")

    def list_proposals(self, key_id: str) -> list["Proposal"]:
        """The changes of a key's limits that wait for votes, newest first."""
        found = pages(self._connection, f"/security/keys/{key_id}/proposals")
        return list(cast("Iterator[Proposal]", found))

    def get_checks(self, key_id: str) -> "KeyChecks":
        """Whether the broker could create and end grants on a key when it last tried."""
        return cast("KeyChecks", self._get(f"/security/keys/{key_id}/check"))

    def get_key_policy(self, key_id: str) -> "KeyPolicyAdvice":
        """What a key's policy must say for the broker."""
        return cast("KeyPolicyAdvice", self._get(f"/security/keys/{key_id}/policy"))

    def get_access(self, key_id: str) -> "AccessReport":
        """Who can use or manage a key, and by what: the whole report, all pages of it."""
        path = f"/security/keys/{key_id}/access"
        report = cast("AccessReport", self._connection.call("GET", path, query={"limit": "100"}).body)
        while report["cursor"]:
            query = {"limit": "100", "cursor": report["cursor"]}
            page = cast("AccessReport", self._connection.call("GET", path, query=query).body)
            items = [*report["items"], *page["items"]]
            if page["counts"]:
                # Where there are counts, there are findings and counts over all grants.
                report = {**report, "findings": page["findings"], "counts": page["counts"]}
            report = {**report, "items": items, "cursor": page["cursor"]}
        return report

    def list_accounts(self) -> Iterator["NamedAccount"]:
        """The accounts that are named, newest first."""
        return cast("Iterator[NamedAccount]", pages(self._connection, "/security/accounts"))

    def get_account(self, account: str) -> tuple["NamedAccount", str]:
        """What is said of an account, and its version for `if_match`."""
        answer = self._connection.call("GET", f"/security/accounts/{account}")
        return cast("NamedAccount", answer.body), answer.headers["etag"]

    def put_account(self, account: str, entry: object, *, if_match: str | None = None) -> "NamedAccount":
        """Name a trusted account, whom to ask, and where its events go: the whole entry."""
        return cast("NamedAccount", self._put(f"/security/accounts/{account}", entry, if_match))

    def delete_account(self, account: str) -> None:
        """Take an account's entry away; its events go to no bus any more."""
        self._connection.call("DELETE", f"/security/accounts/{account}")

    def get_debt(self) -> "Debt":
        """What falls due, per minute and per hour, and how late it would come."""
        return cast("Debt", self._get("/security/debt"))

    def list_events(self, **filters: Unpack[EventFilters]) -> Iterator["Event"]:
        """The audit trail, oldest first unless the order `newest` is asked for."""
        query = cast("dict[str, str | None]", filters)
        return cast("Iterator[Event]", pages(self._connection, "/security/events", query))

    def explain(self, request_id: str, question: "Question") -> "Explanation":
        """Why KMS allows or refuses a call on the request's key, by the whole key policy."""
        path = f"/security/requests/{request_id}/why"
        return cast("Explanation", self._connection.call("POST", path, question).body)

    def list_reviews(self) -> Iterator["Review"]:
        """What is owed a look by somebody else, newest first."""
        return cast("Iterator[Review]", pages(self._connection, "/security/reviews"))

    def sign_off(self, kind: str, review_id: str, *, comment: str) -> "Review":
        """Sign off what somebody else did, for good."""
        answer = self._connection.call("POST", f"/security/reviews/{kind}/{review_id}", {"comment": comment})
        return cast("Review", answer.body)

    def _decide(self, request_id: str, vote: dict[str, str]) -> "RequestSeen":
        answer = self._connection.call("POST", f"/security/requests/{request_id}/decision", vote)
        return cast("RequestSeen", answer.body)

    def _put(self, path: str, document: object, if_match: str | None) -> object:
        headers = {"If-Match": if_match} if if_match else {}
        return self._connection.call("PUT", path, document, headers=headers).body

    def _get(self, path: str) -> object:
        return self._connection.call("GET", path).body
