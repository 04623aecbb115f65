"""What the security team is mailed, and what it cannot be made to read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grant_broker.domain.mail import (
    LARGEST_DIGEST,
    LARGEST_NOTICE,
    Notice,
    digest,
    notice_of,
    quoted,
    read_notice,
)
from tests.support.announcements import NOW, event

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


def _told(kind: str = "submitted", **detail: Any) -> Notice:
    notice = notice_of(event(kind=kind, **detail))
    assert notice is not None
    return notice


def _of(subject: str, kind: str, name: str | None = None, **detail: Any) -> Notice:
    """What is told of an event about something else than a request."""
    told = event(kind=kind, **detail).model_copy(update={"subject": subject, "request_id": None})
    notice = notice_of(told, name)
    assert notice is not None
    return notice


@pytest.mark.parametrize(("kind", "title"), TITLES.items())
def test_titles(kind: str, title: str) -> None:
    """The security team is told in words what happened."""
    assert _told(kind).title == title
    assert digest([_told(kind)]).subject == f"Grant broker: {title}"


@pytest.mark.parametrize("kind", ["issuing", "voted", "check_passed", "ending"])
def test_what_nobody_needs_to_hear(kind: str) -> None:
    """Steps on the way are not mailed."""
    assert notice_of(event(kind=kind)) is None


@pytest.mark.parametrize("how", [{"widened": ["operations"]}, {"widened": [], "opens": True}])
def test_wider_limits_are_told_apart(how: dict[str, Any]) -> None:
    """What opens a key further is told before other changes, and already when it is proposed."""
    changed, proposed = (_of(f"key#{KEY_ARN}", kind, **how) for kind in ("key_changed", "key_voted"))
    assert changed.title == "a key's limits were widened"
    assert proposed.title == "wider limits of a key were proposed"
    assert "Agree: grant-broker keys vote" in proposed.text
    assert "/proposals shows all of it" in proposed.text
    assert "/proposals" not in changed.text
    in_order = digest([_told("key_changed", widened=[]), changed, proposed]).subject
    assert in_order == f"Grant broker: {proposed.title}, {changed.title}, a key's limits"


def test_narrower_limits_are_told_when_they_hold() -> None:
    """Nobody has to hear of a proposal that closes a key further."""
    assert notice_of(event(kind="key_voted", widened=[], narrowed=["operations"])) is None
    assert _told("key_changed", widened=[], narrowed=["operations"]).title == "a key's limits"


def test_drift_is_told_as_such() -> None:
    """A transition that reconcile forced is told as drift."""
    assert _told("ending", drift=True).title == "drift"


@pytest.mark.parametrize("kind", ["submitted", "active", "expired", "released"])
def test_what_a_standing_approval_covers_is_not_mailed(kind: str) -> None:
    """The normal course of a covered request is mailed where the key asks for it, its exceptions always."""
    assert notice_of(event(kind=kind, notify="exceptions")) is None
    assert _told(kind, notify="all").title == TITLES[kind]
    assert _told(kind, notify="exceptions", drift=True).title == "drift"


@pytest.mark.parametrize("kind", sorted(TITLES.keys() - {"submitted", "active", "expired", "released"}))
def test_exceptions_are_always_mailed(kind: str) -> None:
    """Whatever went otherwise than planned is told of covered requests too."""
    assert _told(kind, notify="exceptions").title == TITLES[kind]


def test_a_new_request_says_what_to_decide_and_until_when() -> None:
    """First the deadline, then who asks for what, then the rest by name, and where to decide."""
    notice = _told(
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
    notice = _told(answer_by=forged)
    assert notice.deadline is None
    assert "Answer by:" not in notice.text


def test_a_forged_id_leads_nowhere() -> None:
    """What could not be a request's id is in no path that a reader is sent to."""
    forged = event(kind="submitted").model_copy(update={"request_id": "1/decision\nevil"})
    assert "Next:" not in str(notice_of(forged))


def test_untrusted() -> None:
    """What others wrote cannot leave its line or its quotation marks, nor be followed as a link."""
    text = 'approved"\r\nBy: \u202ealice\x7f https://evil.example ' + "x" * 400
    notice = _told("active", reason=text)
    message = digest([notice]).message
    assert message.isascii()
    assert "\x7f" not in message
    [line] = [each for each in message.split("\n") if each.startswith('"reason"')]
    assert "https://" not in line
    assert line.endswith(' (cut)"')
    assert len(notice.text.split("\n")) == 8
    assert "Text in quotation marks was written by others" in message


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text() | st.just(NOW),
        lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    )
)
def test_any_value_is_one_line_of_ascii_json(value: Any) -> None:
    """No value leaves its line, its quotation marks or the alphabet."""
    line = quoted(value)
    assert line.isascii()
    assert line.isprintable()
    assert "://" not in line
    json.loads(line)


def test_long_and_deep_values_are_cut() -> None:
    """Of long texts, lists and objects a part is shown, and how much is not."""
    assert quoted("x" * 301) == f'"{"x" * 300} (cut)"'
    assert quoted(["a"] * 22).endswith('"a", "(2 cut)"]')
    assert json.loads(quoted({f"{number:02d}": True for number in range(22)}))["(cut)"] == 2
    assert quoted([[["a", {"b": ["c"]}]]]) == """[[["a", "{'b': ['c']}"]]]"""


def test_the_urgent_comes_first_and_what_is_due_first_before_the_rest() -> None:
    """A digest begins with drift, and its new requests with the one that lapses first."""
    late, soon = _told(answer_by="2026-03-09T12:00:00Z"), _told(answer_by="2026-03-02T12:00:00Z")
    mail = digest([_told("active"), late, soon, _told("drift")])
    assert mail.subject == "Grant broker: drift, new request (2), granted"
    heads = [part.split("\n")[0] for part in mail.message.split("-" * 60 + "\n")]
    assert heads == [
        "drift (drift)",
        "new request (submitted)",
        "new request (submitted)",
        "granted (active)",
    ]
    assert mail.message.index("2026-03-02") < mail.message.index("2026-03-09")


def test_what_has_no_room_is_counted() -> None:
    """A digest tells as much as fits in full, how much more there is, until when, and where to read it."""
    many = [
        _told(answer_by=f"2026-03-04T12:{n // 60:02d}:{n % 60:02d}Z", reason="r" * 300) for n in range(600)
    ]
    mail = digest(many)
    told = mail.message.count("new request (submitted)")
    assert len(mail.message) < LARGEST_DIGEST + told * 62 + 1_000
    assert f"And {600 - told} more: new request ({600 - told})." in mail.message
    first = 0 if told == 600 else told
    assert f"to be answered by 2026-03-04T12:{first // 60:02d}:{first % 60:02d}Z" in mail.message
    assert "GET /security/requests?status=pending" in mail.message


def test_notices_without_a_deadline_have_no_first() -> None:
    """Of what nobody has to answer no deadline is told."""
    mail = digest([_told("active", reason="r" * 300) for _ in range(600)])
    assert "more: granted" in mail.message
    assert "to be answered by" not in mail.message


def test_a_notice_is_bounded() -> None:
    """An event as large as a table can hold becomes a notice of a bounded size."""
    assert len(_told(**{f"field {number}": '"' * 300 for number in range(1_000)}).text) == LARGEST_NOTICE


@pytest.mark.parametrize(
    ("service", "name", "advice"),
    [
        ("kms", "PutKeyPolicy", "compare GET /security/keys with the key's policy"),
        ("kms", "CreateGrant", "GET /security/keys/{key_id}/access"),
        ("dynamodb", "UpdateTable", "set the table back"),
        ("iam", "PutRolePolicy", "treat the function of that role as taken over"),
    ],
)
def test_a_watched_call_s_next_step(service: str, name: str, advice: str) -> None:
    """Each mail about a call says what to do if nobody planned it."""
    call = {"detail": {"eventSource": f"{service}.amazonaws.com", "eventName": name}}
    assert advice in read_notice(json.dumps(call)).text


def test_a_watched_call_is_told() -> None:
    """What EventBridge's rule put into the queue is told with who called, and with what."""
    call = {
        "source": "aws.kms", "detail-type": "AWS API Call via CloudTrail", "time": "2026-03-01T12:00:00Z",
        "detail": {
            "eventName": "PutKeyPolicy", "userIdentity": {"arn": "arn:aws:iam::111122223333:user/eve"},
            "requestParameters": {"keyId": "1234", "policy": "x" * 1000}, "errorCode": "AccessDenied",
            "resources": [{"ARN": "arn:aws:kms:eu-central-1:111122223333:key/1234"}],
        },
    }  # fmt: skip
    notice = read_notice(json.dumps(call))
    assert notice.title == "a watched call"
    assert 'a watched call ("PutKeyPolicy")' in notice.text
    assert 'By: "arn:aws:iam::111122223333:user/eve"' in notice.text
    assert 'Refused: "AccessDenied"' in notice.text
    assert 'On: "arn:aws:kms:eu-central-1:111122223333:key/1234"' in notice.text
    assert len(notice.text) < 1_000
    assert digest([_told("drift"), notice]).subject == "Grant broker: a watched call, drift"
    bare = read_notice(json.dumps({"detail": {"eventName": "EnableKey"}}))
    assert 'By: "unknown"' in bare.text
    assert "Refused" not in bare.text


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_whatever_lies_in_the_queue_becomes_a_notice(body: str) -> None:
    """No message stops the others from being mailed, and none is told as the broker's own words."""
    notice = read_notice(body)
    assert notice.title in {"an unreadable message", "a watched call"}
    assert digest([notice, _told()]).message.isascii()


@pytest.mark.parametrize(
    ("subject", "kind", "commands"),
    [
        (f"key#{KEY_ARN}", "key_changed", [f"Next: grant-broker keys show {KEY_ARN}"]),
        ("key#alias/x", "key_changed", []),
        ("account#444455556666", "account_changed", ["Next: grant-broker accounts show 444455556666"]),
        ("account#$(rm)", "account_changed", []),
        ("revocation#a1\nb", "revocation_made", []),
        ("approval#1", "approval_made", []),
    ],
)
def test_commands_to_copy(subject: str, kind: str, commands: list[str]) -> None:
    """What is about a key or an account says how to look at it; what is no id is in no command."""
    assert [line for line in _of(subject, kind).text.split("\n") if "grant-broker " in line] == commands


def test_a_grant_says_how_to_take_it_back() -> None:
    """And its end, how to look at it."""
    assert _told("active").text.endswith("Take back: grant-broker revoke 1 --reason WHY")
    assert _told("expired").text.endswith("Next: grant-broker show 1")


def test_a_request_that_lapses_soon() -> None:
    """It is told before new requests, with its deadline, and with the commands that decide it."""
    soon = _told("answer_due", answer_by="2026-03-02T12:00:00Z", reason="nightly")
    assert (soon.title, soon.deadline) == ("a request lapses soon", "2026-03-02T12:00:00Z")
    assert soon.text.endswith("\n".join(NEXT))
    mail = digest([_told("submitted", answer_by="2026-03-01T13:00:00Z"), soon])
    assert mail.subject == "Grant broker: a request lapses soon, new request"
    assert "All that waits for you: grant-broker queue" in mail.message
    assert "grant-broker queue" not in digest([_told("active")]).message


def test_an_account_by_its_name() -> None:
    """Where the security team has named it, the name stands beside the id, which is what counts."""
    notice = notice_of(event(kind="active", account="444455556666"), "acme")
    assert notice is not None
    assert 'Account: "acme" "444455556666"' in notice.text
    assert "Account:" not in _told("active", account="444455556666").text


def test_a_revocation_says_how_to_follow_and_to_lift_it() -> None:
    """By the API, under its own id."""
    path = "/security/revocations/a1"
    assert (
        f"Next: GET {path} shows how far it is; DELETE {path} lifts"
        in _of("revocation#a1", "revocation_made").text
    )


def test_break_glass_says_who_must_look() -> None:
    """Its mail has the reason, and the commands to sign it off or to take it back."""
    told = _told("break_glass", emergency="outage")
    assert told.title == "break-glass was used: somebody else must review it"
    assert "grant-broker reviews sign-off break-glass 1 --comment WHAT" in told.text
    assert told.text.endswith("Take back: grant-broker revoke 1 --reason WHY")
    assert '"emergency": "outage"' in told.text
