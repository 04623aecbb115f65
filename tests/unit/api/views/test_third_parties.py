"""What third parties see: every field always, and a grant token nobody but its parties."""

from datetime import timedelta

import pytest

from grant_broker.api.views.third_parties import offer_view, party_view, request_view
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.times import format_time
from grant_broker.domain.votes import Verdict, Vote
from tests.support.records import ACCOUNT, GRANTEE, ID, NOW, before_intent, key, request

REQUEST = {
    "id", "status", "requester", "grantee", "key", "operations", "encryption_context", "context_match",
    "duration", "starts_at", "reason", "ticket", "extends", "created_at", "answer_by", "take_up_by",
    "expires_at", "ended_at", "end_reason", "decisions", "approval", "grant", "asked_duration", "absent_at",
    "safe_after", "usage", "warnings",
}  # fmt: skip


def test_pending() -> None:
    """A request shows every field, null where it is not known yet."""
    view = request_view(before_intent(Status.PENDING), None)
    assert set(view) == REQUEST
    assert (view["id"], view["status"], view["requester"]) == (
        ID,
        "pending",
        {"arn": GRANTEE, "account": ACCOUNT},
    )
    unknown = {name for name, value in view.items() if value is None}
    assert unknown == {
        "starts_at", "ticket", "extends", "take_up_by", "expires_at", "ended_at", "end_reason", "approval",
        "grant", "absent_at", "safe_after", "usage",
    }  # fmt: skip
    assert (view["duration"], view["answer_by"], view["decisions"]) == ("PT2H", "2026-03-02T12:00:00Z", [])


@pytest.mark.parametrize("status", Status)
def test_token(status: Status) -> None:
    """The token is shown to a party, while the grant lives."""
    grant = party_view(request(status=status, grant_token="secret"), None)["grant"]
    assert grant
    shown = grant["grant_token"]
    assert shown == ("secret" if status in {Status.ACTIVE, Status.ENDING} else None)
    assert grant == {
        "grant_id": "g1", "grant_token": shown, "issued_at": "2026-03-01T11:30:00Z",
        "expires_at": "2026-03-01T13:30:00Z", "ends_at": "2026-03-01T13:30:00Z",
        "spread_by": "2026-03-01T11:35:00Z",
    }  # fmt: skip


def test_never_to_others() -> None:
    """Whoever is no party is not given the token."""
    assert "secret" not in str(request_view(request(grant_token="secret"), None))


def test_offers() -> None:
    """A third party sees what it may ask for, its own account filled in."""
    offer = offer_view(key(required_context={"tenant": "${account}"}), ACCOUNT)
    assert set(offer) == {
        "key_arn",
        "name",
        "operations",
        "max_duration",
        "required_context",
        "context_match",
    }
    assert (offer["required_context"], offer["max_duration"]) == ({"tenant": ACCOUNT}, "PT8H")


def test_shortened() -> None:
    """`duration` is what would be granted by now, with each vote's own beside it; what was asked stays."""
    votes = tuple(
        Vote(person=by, by=by, verdict=Verdict.APPROVE, at=NOW, digest="d", duration=seconds)
        for by, seconds in (("a", None), ("b", 1800), ("c", 3600))
    )
    view = request_view(before_intent(Status.PENDING).model_copy(update={"decisions": votes}), None)
    assert (view["duration"], view["asked_duration"]) == ("PT30M", "PT2H")
    assert [vote["duration"] for vote in view["decisions"]] == [None, "PT30M", "PT1H"]


@pytest.mark.parametrize(
    ("absent", "safe"),
    [(None, 300), (timedelta(minutes=4), 300), (timedelta(minutes=7), 420)],
)
def test_safe_after(absent: timedelta | None, safe: int) -> None:
    """Five minutes after the end, or when KMS's list was seen without the grant, if that is later."""
    ended = request(status=Status.EXPIRED, ended_at=NOW, absent_at=NOW + absent if absent else None)
    assert request_view(ended, None)["safe_after"] == format_time(NOW + timedelta(seconds=safe))


def test_no_grant_is_safe_at_no_time() -> None:
    """Without a grant, or while it lives, there is nothing to wait for."""
    withdrawn = before_intent(Status.WITHDRAWN).model_copy(update={"ended_at": NOW})
    for found in (withdrawn, request()):
        assert request_view(found, None)["safe_after"] is None
