"""Standing approvals, and the votes on them."""

from datetime import timedelta

from grant_broker.api.views.approvals import approval_view
from grant_broker.api.views.third_parties import request_view, vote_view
from grant_broker.domain.votes import Quorum, Verdict, Vote
from tests.support.records import KEY, NOW, request, standing


def test_decisions() -> None:
    """Votes are shown by who cast them, without what is internal."""
    cast = Vote(
        person="p",
        by="arn",
        session="s",
        verdict=Verdict.DENY,
        comment="no",
        at=NOW,
        digest="d",
        idempotency="i",
    )
    shown = vote_view(cast)
    assert shown == {
        "by": "arn", "verdict": "deny", "comment": "no", "duration": None, "at": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    assert request_view(request(decisions=(cast,)), None)["decisions"] == [shown]
    ahead = standing(votes=(cast,), valid_until=NOW)
    assert approval_view(ahead, quorum=Quorum(1), now=NOW, may_decide=True)["decisions"] == [shown]


def test_approval() -> None:
    """A standing approval shows its status beside what it covers."""
    ahead = standing(valid_until=NOW + timedelta(days=1))
    view = approval_view(ahead, quorum=Quorum(1), now=NOW, may_decide=False)
    assert set(view) == {
        "id",
        "status",
        "key",
        "account",
        "grantee",
        "operations",
        "encryption_context",
        "context_match",
        "max_duration",
        "valid_from",
        "valid_until",
        "windows",
        "reason",
        "decisions",
        "created_at",
        "may_decide",
    }
    assert view["may_decide"] is False
    assert (view["status"], view["key"], view["max_duration"]) == ("active", KEY, "PT2H")
    assert view["valid_until"] == "2026-03-02T12:00:00Z"
