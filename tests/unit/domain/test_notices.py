"""What the security team is told of an event."""

from typing import Any

import pytest

from grant_broker.domain.mail import compose_digest
from grant_broker.domain.notices import LARGEST_NOTICE, notice_of
from tests.support.announcements import event, told_about, told_of

_REQUEST = "/security/requests/1"
NEXT = (
    "Next: grant-broker show 1",
    "Approve: grant-broker approve 1",
    "Deny: grant-broker deny 1 --comment WHY",
    f"By the API: GET {_REQUEST} shows what was found about it; POST {_REQUEST}/decision decides.",
)
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
TITLES = {
    "submitted": "new request",
    "active": "granted",
    "expired": "grant ended",
    "released": "grant ended",
    "revoked": "a grant or request was revoked",
    "end_failed": "a grant could not be ended",
    "adopted": "drift",
    "check_failed": "a key policy check failed",
    "grants_by_others": "grants by others on a registered key",
    "approval_made": "a standing approval",
    "key_changed": "a key's limits",
}


@pytest.mark.parametrize(("kind", "title"), TITLES.items())
def test_titles(kind: str, title: str) -> None:
    """The security team is told in words what happened."""
    assert told_of(kind).title == title
    assert compose_digest([told_of(kind)]).subject == f"Grant broker: {title}"


@pytest.mark.parametrize("kind", ["issuing", "voted", "check_passed", "ending"])
def test_what_nobody_needs_to_hear(kind: str) -> None:
    """Steps on the way are not mailed."""
    assert notice_of(event(kind=kind)) is None


@pytest.mark.parametrize("how", [{"widened": ["operations"]}, {"widened": [], "opens": True}])
def test_wider_limits_are_told_apart(how: dict[str, Any]) -> None:
    """What opens a key further is told before other changes, and already when it is proposed."""
    changed, proposed = (told_about(f"key#{KEY_ARN}", kind, **how) for kind in ("key_changed", "key_voted"))
    assert changed.title == "a key's limits were widened"
    assert proposed.title == "wider limits of a key were proposed"
    assert "Agree: grant-broker keys vote" in proposed.text
    assert "/proposals shows all of it" in proposed.text
    assert "/proposals" not in changed.text
    in_order = compose_digest([told_of("key_changed", widened=[]), changed, proposed]).subject
    assert in_order == f"Grant broker: {proposed.title}, {changed.title}, a key's limits"


def test_narrower_limits_are_told_when_they_hold() -> None:
    """Nobody has to hear of a proposal that closes a key further."""
    assert notice_of(event(kind="key_voted", widened=[], narrowed=["operations"])) is None
    assert told_of("key_changed", widened=[], narrowed=["operations"]).title == "a key's limits"


def test_drift_is_told_as_such() -> None:
    """A transition that reconcile forced is told as drift."""
    assert told_of("ending", drift=True).title == "drift"


@pytest.mark.parametrize("kind", ["submitted", "active", "expired", "released"])
def test_what_a_standing_approval_covers_is_not_mailed(kind: str) -> None:
    """The normal course of a covered request is mailed where the key asks for it, its exceptions always."""
    assert notice_of(event(kind=kind, notify="exceptions")) is None
    assert told_of(kind, notify="all").title == TITLES[kind]
    assert told_of(kind, notify="exceptions", drift=True).title == "drift"


@pytest.mark.parametrize("kind", sorted(TITLES.keys() - {"submitted", "active", "expired", "released"}))
def test_exceptions_are_always_mailed(kind: str) -> None:
    """Whatever went otherwise than planned is told of covered requests too."""
    assert told_of(kind, notify="exceptions").title == TITLES[kind]


def test_a_new_request_says_what_to_decide_and_until_when() -> None:
    """First the deadline, then who asks for what, then the rest by name, and where to decide."""
    notice = told_of(
        waits="no standing approval", ticket=None, reason="nightly", requester="arn:1", grantee="arn:2",
        answer_by="2026-03-04T12:00:00Z", duration="PT2H", encryption_context={"tenant": "a"},
    )  # fmt: skip
    assert notice.deadline == "2026-03-04T12:00:00Z"
    assert notice.text.split("\n") == [
        "new request (submitted)",
        "When: 2026-03-01T12:00:01Z",
        "Answer by: 2026-03-04T12:00:00Z",
        'About: "request#1"',
        'By: "arn:aws:iam::444455556666:role/partner"',
        '"requester": "arn:1"',
        '"grantee": "arn:2"',
        '"encryption_context": {"tenant": "a"}',
        '"duration": "PT2H"',
        '"reason": "nightly"',
        '"answer_by": "2026-03-04T12:00:00Z"',
        '"waits": "no standing approval"',
        'Event: "id-1"',
        *NEXT,
    ]


@pytest.mark.parametrize("forged", ["tomorrow\nBy: alice", 7, None, ["2026-03-04T12:00:00Z"]])
def test_a_forged_deadline_is_none(forged: Any) -> None:
    """What is no time is told as what somebody wrote, not as the broker's word."""
    notice = told_of(answer_by=forged)
    assert notice.deadline is None
    assert "Answer by:" not in notice.text


def test_a_forged_id_leads_nowhere() -> None:
    """What could not be a request's id is in no path that a reader is sent to."""
    forged = event(kind="submitted").model_copy(update={"request_id": "1/decision\nevil"})
    assert "Next:" not in str(notice_of(forged))


def test_a_notice_is_bounded() -> None:
    """An event as large as a table can hold becomes a notice of a bounded size."""
    assert len(told_of(**{f"field {number}": '"' * 300 for number in range(1_000)}).text) == LARGEST_NOTICE


def test_a_request_that_lapses_soon() -> None:
    """It is told before new requests, with its deadline, and with the commands that decide it."""
    soon = told_of("answer_due", answer_by="2026-03-02T12:00:00Z", reason="nightly")
    assert (soon.title, soon.deadline) == ("a request lapses soon", "2026-03-02T12:00:00Z")
    assert soon.text.endswith("\n".join(NEXT))
    mail = compose_digest([told_of("submitted", answer_by="2026-03-01T13:00:00Z"), soon])
    assert mail.subject == "Grant broker: a request lapses soon, new request"
    assert "All that waits for you: grant-broker queue" in mail.message
    assert "grant-broker queue" not in compose_digest([told_of("active")]).message


def test_an_account_by_its_name() -> None:
    """Where the security team has named it, the name stands beside the id, which is what counts."""
    notice = notice_of(event(kind="active", account="444455556666"), "acme")
    assert notice is not None
    assert 'Account: "acme" "444455556666"' in notice.text
    assert "Account:" not in told_of("active", account="444455556666").text
