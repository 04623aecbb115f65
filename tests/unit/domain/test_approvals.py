"""Approval: what it covers, and the first reason why not."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.approvals import Approval
from grant_broker.domain.coverage import Asked
from grant_broker.domain.parties import Requester
from grant_broker.domain.scope import ContextMatch, Scope
from grant_broker.domain.votes import Quorum, Verdict, Vote
from tests.support.records import ACCOUNT, CREATED, GRANTEE, KEY, NOW, SCOPE, request, standing, votes

HOME = "111122223333"
NO_VOTES = "0 of 1 votes of persons other than requester and grantee"
NOT_WITHIN = "the encryption context is not within the approved one"
ROLE = f"arn:aws:iam::{HOME}:role"
SESSION = f"arn:aws:sts::{HOME}:assumed-role"
ASKED = request().asked(NOW)


def vote(person: str, verdict: Verdict = Verdict.APPROVE, **more: Any) -> Vote:
    """A vote on the standing approval."""
    return Vote(**{"person": person, "by": person, "verdict": verdict, "at": NOW, "digest": "d", **more})


def more(**wider: Any) -> Scope:
    """The scene's scope, widened."""
    return SCOPE.model_copy(update=wider)


ONE = Quorum(1)


def reason(approval: Approval, asked: Asked = ASKED, quorum: Quorum = ONE) -> str | None:
    """Why it does not cover, None where it does."""
    found = approval.covers(asked, quorum=quorum)
    return None if found.covered else found.reason


def test_covered() -> None:
    """What was approved is covered, and the reason names the approval."""
    found = standing().covers(ASKED, quorum=Quorum(1))
    assert (found.covered, found.reason) == (True, "covered by standing approval standing-1")
    assert votes(request()).covers(ASKED, quorum=Quorum(1)).covered
    assert standing(grantee=None).covers(ASKED, quorum=Quorum(1)).covered


@pytest.mark.parametrize(
    ("changes", "asked", "why"),
    [
        ({"withdrawn_at": NOW}, {}, "the approval was withdrawn"),
        ({"votes": (vote("a"), vote("b", Verdict.DENY))}, {}, "it was denied"),
        ({}, {"key_arn": KEY + "1"}, "it is for another key"),
        ({}, {"account": HOME}, "it is for another account"),
        ({}, {"grantee": GRANTEE + "1"}, "it is for another grantee"),
        ({"valid_from": NOW + timedelta(seconds=1)}, {}, "it is not valid yet"),
        ({"valid_until": NOW}, {}, "it is no longer valid"),
        ({}, {"duration": 7201}, "the approved duration is PT2H"),
        ({"votes": (vote("a", duration=3600), vote("b"))}, {}, "the approved duration is PT1H"),
        ({"votes": ()}, {}, NO_VOTES),
        ({"votes": (vote("a", digest="other"),)}, {}, NO_VOTES),
        ({}, {"requester": Requester("", "alice")}, NO_VOTES),
        ({}, {"scope": more(operations=("Encrypt", "Decrypt"))}, "operations Decrypt are not approved"),
        ({}, {"scope": more(context_match=ContextMatch.SUBSET)}, NOT_WITHIN),
    ],
)  # fmt: skip
def test_not_covered(changes: dict[str, Any], asked: dict[str, Any], why: str) -> None:
    """Each thing that differs is a reason of its own."""
    assert reason(standing(**changes), ASKED._replace(**asked)) == why


def test_bounds() -> None:
    """The window's first moment is in it, its last is not; the longest duration is allowed."""
    window = standing(valid_from=NOW, valid_until=NOW + timedelta(seconds=1))
    assert reason(window, ASKED._replace(duration=7200)) is None
    assert reason(window, ASKED._replace(at=NOW - timedelta(milliseconds=1))) == "it is not valid yet"


def test_content() -> None:
    """Votes on a request are for exactly what was submitted; a standing approval is for many."""
    other = ASKED._replace(digest="another")
    assert reason(votes(request()), other) == "the content is not what was approved"
    assert reason(standing(), other) is None


def test_quorum() -> None:
    """A quorum counts distinct persons, without the requester."""
    two = standing(votes=(vote("a"), vote("b")))
    assert reason(two, quorum=Quorum(2)) is None
    assert reason(standing(votes=(vote("a"), vote("a"))), quorum=Quorum(2)) is not None
    assert reason(two, ASKED._replace(requester=Requester("", "b")), quorum=Quorum(2)) is not None


@pytest.mark.parametrize(
    ("by", "session", "grantee", "counts"),
    [
        (f"{SESSION}/writer/alice", "alice", f"{ROLE}/app/writer", False),
        (f"arn:aws:iam::{HOME}:user/alice", None, f"arn:aws:iam::{HOME}:user/alice", False),
        (
            f"{SESSION}/AWSReservedSSO_A_1/alice", "alice",
            f"{SESSION}/AWSReservedSSO_B_2/alice", False,
        ),
        (f"{SESSION}/security/alice", "alice", f"{ROLE}/writer", True),
        ("alice", None, GRANTEE, True),
    ],
)  # fmt: skip
def test_own_vote(by: str, session: str | None, grantee: str, *, counts: bool) -> None:
    """A vote of who would be granted the access does not count, however the approval was worded."""
    approval = standing(grantee=None, account=HOME, votes=(vote("alice", by=by, session=session),))
    asked = ASKED._replace(account=HOME, grantee=grantee)
    assert (reason(approval, asked) is None) is counts


def test_status() -> None:
    """An approval is pending until its quorum, active until it expires, and over once withdrawn or denied."""
    one = standing(valid_until=NOW)
    before = NOW - timedelta(seconds=1)
    assert one.status(quorum=Quorum(2), now=before) == "pending"
    assert one.status(quorum=Quorum(1), now=before) == "active"
    assert one.status(quorum=Quorum(1), now=NOW) == "expired"
    assert standing(withdrawn_at=CREATED).status(quorum=Quorum(1), now=NOW) == "withdrawn"
    assert standing(votes=(vote("a", Verdict.DENY),)).status(quorum=Quorum(1), now=NOW) == "withdrawn"
    assert standing().status(quorum=Quorum(1), now=NOW) == "active"


def test_votes() -> None:
    """Who voted is known by the person."""
    approval = standing(votes=(vote("a"), vote("b", duration=60)))
    assert (approval.vote_of("b"), approval.vote_of("c")) == (approval.votes[1], None)
    assert (approval.longest, standing().longest) == (60, 7200)
    assert (approval.subject, votes(request()).subject) == ("approval#standing-1", request().subject)


EQUALS, SUBSET = ContextMatch.EQUALS, ContextMatch.SUBSET
SMALL, LARGE, OTHER = {"t": "a"}, {"t": "a", "day": "1"}, {"t": "b"}


@pytest.mark.parametrize(
    ("approved", "asked", "fits"),
    [
        ((EQUALS, SMALL), (EQUALS, SMALL), True),
        ((EQUALS, SMALL), (EQUALS, LARGE), False),
        ((EQUALS, LARGE), (EQUALS, SMALL), False),
        ((EQUALS, SMALL), (SUBSET, SMALL), False),
        ((EQUALS, SMALL), (EQUALS, OTHER), False),
        ((SUBSET, SMALL), (EQUALS, SMALL), True),
        ((SUBSET, SMALL), (EQUALS, LARGE), True),
        ((SUBSET, SMALL), (SUBSET, SMALL), True),
        ((SUBSET, SMALL), (SUBSET, LARGE), True),
        ((SUBSET, LARGE), (SUBSET, SMALL), False),
        ((SUBSET, LARGE), (EQUALS, SMALL), False),
        ((SUBSET, SMALL), (EQUALS, OTHER), False),
        ((SUBSET, SMALL), (EQUALS, {"T": "a"}), False),
    ],
)
def test_context(approved: tuple[ContextMatch, Any], asked: tuple[ContextMatch, Any], *, fits: bool) -> None:
    """`equals C` covers exactly itself; `subset C` both kinds of every context that contains C."""
    scopes = [
        Scope(operations=("Encrypt",), encryption_context=context, context_match=match)
        for match, context in (approved, asked)
    ]
    assert (scopes[1].excess_over(scopes[0]) is None) is fits


def test_account() -> None:
    """The scene's grantee is of the account that is approved."""
    assert ASKED.account == ACCOUNT
