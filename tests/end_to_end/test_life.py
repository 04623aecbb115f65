"""The life of a request over HTTP, from submission to each of its ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.conftest import Running

REQUEST = {
    "asked_duration", "absent_at", "safe_after", "warnings",
    "id", "status", "requester", "grantee", "key", "operations", "encryption_context", "context_match",
    "duration", "starts_at", "reason", "ticket", "extends", "created_at", "answer_by", "take_up_by",
    "expires_at", "ended_at", "end_reason", "decisions", "approval", "grant", "usage",
}  # fmt: skip
APPROVE = {"verdict": "approve"}


def _submitted(stack: Running, person: str = "partner", **changes: Any) -> str:
    answer = stack.call(person, "POST", "/requests", stack.submission(person, **changes))
    assert answer.status == 201, answer.body
    return f"/requests/{answer.body['id']}"


def test_submit_and_read(stack: Running) -> None:
    """A submission is there as it was sent, with every field, for its own account and the security team."""
    sent = stack.submission(ticket="OPS-1", context_match="subset", duration="PT90M")
    made = stack.call("partner", "POST", "/requests", sent)
    assert (made.status, set(made.body)) == (201, REQUEST)
    assert made.headers["Location"] == f"/live/requests/{made.body['id']}"
    assert made.headers["Cache-Control"] == "no-store"
    told = {name: made.body[name] for name in sent}
    assert told == {**sent, "key": stack.key, "duration": "PT1H30M"}
    assert made.body["status"] == "pending"
    assert made.body["requester"] == {"arn": stack.credentials("partner").arn, "account": "444455556666"}
    path = f"/requests/{made.body['id']}"
    assert stack.call("partner", "GET", path).body == made.body
    assert stack.call("partner_colleague", "GET", path).body == made.body
    seen = stack.call("alice", "GET", f"/security{path}").body
    assert {name: seen[name] for name in REQUEST} == made.body
    assert [event["type"] for event in seen["trail"]] == ["submitted"]


def test_other_accounts(stack: Running) -> None:
    """Another account's request is told apart in no way from one that does not exist."""
    path = _submitted(stack)
    theirs = stack.call("other_partner", "GET", path)
    nobodys = stack.call("other_partner", "GET", "/requests/" + "0" * 32)
    assert theirs.status == nobodys.status == 404
    assert theirs.body == nobodys.body
    for method, of in (("DELETE", path), ("POST", f"{path}/grant"), ("DELETE", f"{path}/grant")):
        assert stack.call("other_partner", method, of).body == nobodys.body


def test_lists(stack: Running) -> None:
    """A list is paged, newest first, without grant tokens, and holds the account's own requests only."""
    made = [_submitted(stack, reason=f"page {number}").rpartition("/")[2] for number in range(3)]
    seen: list[str] = []
    query = {"limit": "2", "status": "pending"}
    while True:
        page = stack.call("partner", "GET", "/requests", query=query)
        assert page.status == 200, page.body
        seen += [item["id"] for item in page.body["items"]]
        assert len(page.body["items"]) <= 2
        if page.body["cursor"] is None:
            break
        query["cursor"] = page.body["cursor"]
    assert [request for request in seen if request in made] == made[::-1]
    assert len(set(seen)) == len(seen)
    others = stack.call("other_partner", "GET", "/requests", query={"limit": "100"}).body["items"]
    assert not {item["id"] for item in others} & set(made)
    foreign = stack.call("other_partner", "GET", "/requests", query={"limit": "2", "cursor": "bogus"})
    assert (foreign.status, foreign.body["errors"][0]["field"]) == (400, "cursor")


def test_withdraw(stack: Running) -> None:
    """The requester withdraws; a colleague may not, and twice is a conflict that names the status."""
    path = _submitted(stack)
    assert stack.call("partner_colleague", "DELETE", path).status == 403
    answer = stack.call("partner", "DELETE", path)
    assert (answer.status, answer.body["status"]) == (200, "withdrawn")
    again = stack.call("partner", "DELETE", path)
    assert (again.status, again.body["code"]) == (409, "conflict")
    assert "withdrawn" in again.body["detail"]
    assert stack.call("alice", "POST", f"/security{path}/decision", APPROVE).status == 409


def test_decisions(stack: Running) -> None:
    """One denial is final and says why; an approval may shorten, and nobody votes twice."""
    path = f"/security{_submitted(stack)}/decision"
    silent = stack.call("alice", "POST", path, {"verdict": "deny"})
    assert (silent.status, silent.body["code"]) == (400, "invalid_request")
    denied = stack.call("alice", "POST", path, {"verdict": "deny", "comment": "not today"})
    assert (denied.status, denied.body["status"], denied.body["end_reason"]) == (200, "denied", "denied")
    assert stack.call("bob", "POST", path, APPROVE).status == 409
    path = f"/security{_submitted(stack)}/decision"
    longer = stack.call("bob", "POST", path, {**APPROVE, "duration": "PT2H"})
    assert (longer.status, longer.body["errors"][0]["field"]) == (400, "duration")
    shorter = stack.call("bob", "POST", path, {**APPROVE, "duration": "PT10M"})
    assert (shorter.body["status"], shorter.body["duration"]) == ("approved", "PT10M")
    assert stack.call("bob", "POST", path, APPROVE).status == 409


def test_take_up(stack: Running) -> None:
    """Taking up gives one grant, however often it is called, and its token to the parties only."""
    path = _submitted(stack)
    early = stack.call("partner", "POST", f"{path}/grant")
    assert (early.status, "pending" in early.body["detail"]) == (409, True)
    stack.call("alice", "POST", f"/security{path}/decision", APPROVE)
    assert stack.call("partner_colleague", "POST", f"{path}/grant").status == 403
    taken = stack.call("partner", "POST", f"{path}/grant")
    assert (taken.status, taken.body["status"]) == (201, "active")
    again = stack.call("partner", "POST", f"{path}/grant")
    assert (again.status, again.body) == (200, taken.body)
    assert (
        stack.call("partner", "GET", path).body["grant"]["grant_token"] == taken.body["grant"]["grant_token"]
    )
    assert stack.call("partner_colleague", "GET", path).body["grant"]["grant_token"] is None
    assert stack.call("alice", "GET", f"/security{path}").body["grant"]["grant_token"] is None
    assert stack.call("partner", "DELETE", path).status == 409


def test_start_time(stack: Running) -> None:
    """An approved request with a later start cannot be taken up before it."""
    start = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    path = _submitted(stack, starts_at=start)
    stack.call("alice", "POST", f"/security{path}/decision", APPROVE)
    answer = stack.call("partner", "POST", f"{path}/grant")
    assert (answer.status, "approved" in answer.body["detail"]) == (409, True)


def test_release(stack: Running) -> None:
    """A grant that its party releases ends at once; a colleague may not release it."""
    request = stack.granted()
    path = f"/requests/{request['id']}/grant"
    assert stack.call("partner_colleague", "DELETE", path).status == 403
    answer = stack.call("partner", "DELETE", path)
    assert (answer.status, answer.body["status"]) == (202, "ending")
    ended = stack.until("released", request)
    assert ended["grant"]["grant_token"] is None
    assert stack.call("partner", "DELETE", path).status == 409


def test_revoke(stack: Running) -> None:
    """The security team takes a grant back, and an approval that nobody took up."""
    request = stack.granted()
    path = f"/security/requests/{request['id']}/grant"
    assert stack.call("alice", "DELETE", path, {}).body["errors"][0]["field"] == "reason"
    answer = stack.call("alice", "DELETE", path, {"reason": "incident 12"})
    assert (answer.status, answer.body["status"]) == (202, "ending")
    assert stack.until("revoked", request)["end_reason"] == "incident 12"
    approved = _submitted(stack)
    stack.call("bob", "POST", f"/security{approved}/decision", APPROVE)
    answer = stack.call("alice", "DELETE", f"/security{approved}/grant", {"reason": "incident 12"})
    assert (answer.status, answer.body["status"]) == (202, "revoked")
    assert stack.call("partner", "POST", f"{approved}/grant").status == 409


def test_expiry(stack: Running) -> None:
    """A grant of three seconds ends by itself, answered within a second of its expiry."""
    request = stack.granted(duration="PT3S")
    ended = stack.until("expired", request)
    expires, end = (datetime.fromisoformat(ended[name]) for name in ("expires_at", "ended_at"))
    assert timedelta() <= end - expires <= timedelta(seconds=1)
    trail = stack.call("bob", "GET", f"/security/requests/{request['id']}").body["trail"]
    types = [event["type"] for event in trail]
    assert types == ["submitted", "approved", "issuing", "active", "expired"]


def test_idempotency(stack: Running) -> None:
    """Same key and body: the same request; another body: a conflict; a refused body leaves the key free."""
    key = {"Idempotency-Key": "nightly-1"}
    bad = stack.call("partner", "POST", "/requests", stack.submission(duration="PT99H"), headers=key)
    assert bad.status == 400
    first = stack.call("partner", "POST", "/requests", stack.submission(), headers=key)
    again = stack.call("partner", "POST", "/requests", stack.submission(), headers=key)
    assert (first.status, again.status, again.body["id"]) == (201, 201, first.body["id"])
    other = stack.call("partner", "POST", "/requests", stack.submission(reason="other"), headers=key)
    assert (other.status, other.body["code"]) == (409, "conflict")
    theirs = stack.call("other_partner", "POST", "/requests", stack.submission("other_partner"), headers=key)
    assert theirs.body["id"] != first.body["id"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "active"),
        ({"duration": "PT30M"}, "active"),
        ({"duration": "PT2H"}, "pending"),
        ({"operations": ["Encrypt", "GenerateDataKey"]}, "pending"),
        ({"encryption_context": {"dataset": "standing", "day": "1"}}, "active"),
        ({"encryption_context": {"dataset": "other"}}, "pending"),
        ({"context_match": "subset"}, "active"),
    ],
)
def test_standing_approval(stack: Running, standing: str, changes: dict[str, Any], status: str) -> None:
    """What a standing approval covers is granted with the answer; what goes beyond it waits for people."""
    asked = {"encryption_context": {"dataset": "standing"}, **changes}
    answer = stack.call("other_partner", "POST", "/requests", stack.submission("other_partner", **asked))
    assert (answer.status, answer.body["status"]) == (201, status)
    assert answer.body["approval"] == (standing if status == "active" else None)
    assert bool(answer.body["grant"]) == (status == "active")


@pytest.fixture(scope="module")
def standing(stack: Running) -> str:
    """The id of a standing approval for the other partner."""
    until = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {
        "key": "partner_data", "account": "666677778888", "operations": ["Encrypt"],
        "encryption_context": {"dataset": "standing"}, "context_match": "subset", "max_duration": "PT1H",
        "valid_until": until, "reason": "nightly",
    }  # fmt: skip
    answer = stack.call("alice", "POST", "/security/approvals", body)
    assert (answer.status, answer.body["status"]) == (201, "active"), answer.body
    return str(answer.body["id"])


def test_withdrawn_approval(stack: Running) -> None:
    """A standing approval that was withdrawn covers nothing more; withdrawing again is no error."""
    until = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked: dict[str, Any] = {"operations": ["DescribeKey"], "encryption_context": {"dataset": "withdrawn"}}
    terms = {"max_duration": "PT1H", "valid_until": until, "reason": "once"}
    body = {"key": stack.key, "account": "444455556666", **asked, **terms}
    made = stack.call("bob", "POST", "/security/approvals", body).body
    path = f"/security/approvals/{made['id']}"
    assert made in stack.call("alice", "GET", "/security/approvals").body["items"]
    assert stack.call("alice", "DELETE", path).status == 204
    assert stack.call("alice", "DELETE", path).status == 204
    assert stack.call("alice", "GET", path).body["status"] == "withdrawn"
    answer = stack.call("partner", "POST", "/requests", stack.submission(**asked))
    assert answer.body["status"] == "pending"


def test_events(stack: Running) -> None:
    """The audit trail is there for the security team, oldest first, and not for third parties."""
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    request = _submitted(stack).rpartition("/")[2]
    page = stack.call("alice", "GET", "/security/events", query={"since": since, "limit": "100"}).body
    assert request in [event["request_id"] for event in page["items"]]
    # As moments: a text without a fraction sorts behind those of its second that have one.
    moments = [datetime.fromisoformat(event["at"]) for event in page["items"]]
    assert moments == sorted(moments)
    assert stack.call("partner", "GET", "/security/events").status == 403
