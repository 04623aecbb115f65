"""What the security team sees: every account's requests, keys, approvals and events, in pages."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support.scene import START, InProcessStack, time


def _ids(scene: InProcessStack, who: str, path: str, **query: str) -> list[str]:
    """Every id of a list, page after page."""
    found: list[str] = []
    while True:
        body = scene.call(who, "GET", path, query=query).body
        found += [item["id"] for item in body["items"]]
        if body["cursor"] is None:
            return found
        query = {**query, "cursor": body["cursor"]}


def _three(scene: InProcessStack) -> list[str]:
    made = []
    for who in ("partner", "other_partner", "partner"):
        scene.clock.sleep(1)
        made.append(scene.submit(who, grantee=scene.grantee(who)).body["id"])
    return made


def test_all_requests(scene: InProcessStack) -> None:
    """Newest first, in pages of any size, by status, key and account."""
    first, second, third = _three(scene)
    scene.decide(second)
    path = "/security/requests"
    assert _ids(scene, "alice", path) == [third, second, first]
    assert _ids(scene, "alice", path, limit="1") == [third, second, first]
    assert _ids(scene, "alice", path, status="approved") == [second]
    assert _ids(scene, "alice", path, account="444455556666", limit="1") == [third, first]
    assert _ids(scene, "alice", path, key=scene.key_arn, status="pending") == [third, first]
    assert _ids(scene, "alice", path, key="arn:aws:kms:eu-central-1:111122223333:key/other") == []


def test_requests_searched(scene: InProcessStack) -> None:
    """By the key's name, by grantee and requester, a role for its sessions, by time, all together."""
    first, second, third = _three(scene)
    role = scene.grantee("partner")
    session = scene.credentials("partner").arn
    assert ":assumed-role/" in session
    path = "/security/requests"
    assert _ids(scene, "alice", path, key="partner_data") == [third, second, first]
    assert _ids(scene, "alice", path, grantee=role, limit="1") == [third, first]
    assert _ids(scene, "alice", path, grantee=session) == []
    assert _ids(scene, "alice", path, requester=role) == [third, first]
    assert _ids(scene, "alice", path, requester=session) == [third, first]
    assert _ids(scene, "alice", path, requester=session, account="666677778888") == []
    assert _ids(scene, "alice", path, since=time(START + timedelta(seconds=2))) == [third, second]
    assert _ids(scene, "alice", path, since=time(START + timedelta(seconds=4))) == []
    assert _ids(scene, "alice", path, grantee=role, since=time(START + timedelta(seconds=2))) == [third]
    scene.decide(third)
    assert _ids(scene, "alice", path, grantee=role, status="pending") == [first]


def test_what_lapses_first(scene: InProcessStack) -> None:
    """By `answer_by` the pending requests, whoever has waited longest at the head, in pages."""
    first, second, third = _three(scene)
    scene.clock.sleep(1)
    fourth = scene.pending()
    scene.decide(second)
    path = "/security/requests"
    assert _ids(scene, "alice", path, order="answer_by") == [first, third, fourth]
    assert _ids(scene, "alice", path, order="answer_by", limit="1", status="pending") == [
        first,
        third,
        fourth,
    ]
    assert _ids(scene, "alice", path, order="answer_by", account="666677778888") == []
    assert _ids(scene, "alice", path, order="newest") == [fourth, third, second, first]


def test_a_record_that_cannot_be_read_hides_no_other(scene: InProcessStack) -> None:
    """The others are listed, and the log names it."""
    first, second, third = _three(scene)
    scene.alter(second, duration={"S": "for ever"})
    assert _ids(scene, "alice", "/security/requests") == [third, first]


def test_own_requests(scene: InProcessStack) -> None:
    """A third party's list holds its account's requests only, newest first."""
    first, second, third = _three(scene)
    assert _ids(scene, "partner", "/requests", limit="1") == [third, first]
    assert _ids(scene, "partner_colleague", "/requests") == [third, first]
    assert _ids(scene, "other_partner", "/requests", status="pending") == [second]
    assert _ids(scene, "other_partner", "/requests", status="active") == []


def test_own_keys(scene: InProcessStack) -> None:
    """What an account may ask for, with its own number filled in; nothing of keys that others use."""
    scene.limit(required_context={"tenant": "${account}"}, accounts=["444455556666"])
    assert scene.call("partner", "GET", "/keys").body == {
        "items": [{
            "key_arn": scene.key_arn, "name": "partner_data",
            "operations": [
                "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptTo", "DescribeKey",
            ],
            "max_duration": "PT8H", "required_context": {"tenant": "444455556666"}, "context_match": "subset",
        }],
        "cursor": None,
    }  # fmt: skip
    assert scene.call("other_partner", "GET", "/keys").body["items"] == []
    assert [item["name"] for item in scene.call("bob", "GET", "/security/keys").body["items"]] == [
        "partner_data"
    ]


def test_approvals_in_pages(scene: InProcessStack) -> None:
    """Standing approvals, newest first, each with its status now."""
    made = []
    for hours in (1, 2, 3):
        scene.clock.sleep(1)
        valid_until = time(START + timedelta(hours=hours))
        made.append(scene.approve_ahead(valid_until=valid_until).body["id"])
    scene.clock.now = START + timedelta(hours=1)
    assert _ids(scene, "bob", "/security/approvals", limit="2") == made[::-1]
    statuses = [item["status"] for item in scene.call("bob", "GET", "/security/approvals").body["items"]]
    assert statuses == ["active", "active", "expired"]


def test_events(scene: InProcessStack) -> None:
    """The trail of everything, oldest first, from a time on, in pages."""
    request_id = scene.active()
    events = scene.call("alice", "GET", "/security/events").body["items"]
    assert [event["type"] for event in events] == [
        "key_registered", "submitted", "approved", "issuing", "active",
    ]  # fmt: skip
    assert {event["request_id"] for event in events[1:]} == {request_id}
    assert len(_ids(scene, "alice", "/security/events", limit="2")) == 5
    later = time(START + timedelta(seconds=1))
    assert _ids(scene, "alice", "/security/events", since=later) == []
    assert scene.call("alice", "GET", "/security/events", query={"since": "yesterday"}).status == 400


def _types(scene: InProcessStack, **query: str) -> list[str]:
    """The types of the events that are found, page by page of two."""
    found: list[str] = []
    while True:
        body = scene.call("alice", "GET", "/security/events", query={"limit": "2", **query}).body
        found += [event["type"] for event in body["items"]]
        if body["cursor"] is None:
            return found
        query = {**query, "cursor": body["cursor"]}


def test_the_chain_by_the_rule_that_auditors_are_told(scene: InProcessStack) -> None:
    """The hashes of a request's events follow from what the API shows of it, as the auditor's page says."""
    request_id = str(scene.submit(reason="für später").body["id"])
    assert scene.call("partner", "DELETE", f"/requests/{request_id}").status == 200
    events = scene.call("alice", "GET", "/security/events", query={"request": request_id}).body["items"]
    previous = "0" * 64
    for sequence, event in enumerate(events, start=1):
        told = {name: value for name, value in event.items() if name != "hash"}
        told |= {"previous": previous, "sequence": sequence, "subject": f"request#{request_id}"}
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        assert hashlib.sha256(text.encode()).hexdigest() == event["hash"]
        previous = event["hash"]
    assert [event["type"] for event in events] == ["submitted", "withdrawn"]


def test_events_searched(scene: InProcessStack) -> None:
    """By request, key, account, type and person, within a span of time, in either order."""
    life = ["submitted", "approved", "issuing", "active"]
    request_id = scene.active()
    scene.clock.sleep(10)
    other = str(scene.submit("other_partner", grantee=scene.grantee("other_partner")).body["id"])
    scene.clock.sleep(1)
    scene.approve_ahead()
    everything = ["key_registered", *life, "submitted", "approval_made"]
    assert _types(scene) == everything
    assert _types(scene, order="newest") == everything[::-1]
    assert _types(scene, request=request_id) == life
    assert _types(scene, request=request_id, order="newest", type="active") == ["active"]
    assert _types(scene, request=request_id, order="newest") == life[::-1]
    assert _types(scene, request=other) == ["submitted"]
    assert _types(scene, request="0" * 32) == []
    assert _types(scene, key="partner_data") == _types(scene, key=scene.key_arn) == everything
    assert _types(scene, key=f"{scene.key_arn[:-4]}0000") == []
    assert _types(scene, account="444455556666") == [*life, "approval_made"]
    assert _types(scene, account="666677778888") == ["submitted"]
    assert _types(scene, request=request_id, account="666677778888") == []
    assert _types(scene, type="submitted") == ["submitted", "submitted"]
    alice = scene.credentials("alice").arn
    assert _types(scene, by=alice) == ["key_registered", "approved", "approval_made"]
    assert _types(scene, by=scene.grantee("partner")) == ["submitted", "issuing", "active"]
    assert _types(scene, by="expiry") == []
    later = time(START + timedelta(seconds=10))
    assert _types(scene, since=later) == ["submitted", "approval_made"]
    assert _types(scene, until=later) == ["key_registered", *life]
    assert _types(scene, since=later, until=later) == []
    assert _types(scene, request=request_id, since=later) == _types(scene, request=other, until=later) == []


@pytest.mark.parametrize(
    ("who", "path", "query", "field"),
    [
        ("alice", "/security/requests", {"status": "gone"}, "status"),
        ("alice", "/security/requests", {"key": "nothing"}, "key"),
        ("alice", "/security/requests", {"key": "alias/a"}, "key"),
        ("alice", "/security/requests", {"grantee": "*"}, "grantee"),
        ("alice", "/security/requests", {"requester": "alice"}, "requester"),
        ("alice", "/security/requests", {"since": "today"}, "since"),
        ("alice", "/security/requests", {"order": "oldest"}, "order"),
        ("alice", "/security/requests", {"order": "answer_by", "status": "active"}, "order"),
        ("alice", "/security/events", {"order": "answer_by"}, "order"),
        ("alice", "/security/events", {"until": "2030-01-01"}, "until"),
        ("alice", "/security/events", {"key": "nothing"}, "key"),
        ("alice", "/security/events", {"type": "Approved"}, "type"),
        ("alice", "/security/events", {"by": "a b"}, "by"),
        ("alice", "/security/events", {"request": "a/b"}, "request"),
        ("alice", "/security/requests", {"account": "1"}, "account"),
        ("alice", "/security/requests", {"limit": "101"}, "limit"),
        ("alice", "/security/requests", {"sort": "asc"}, "sort"),
        ("alice", "/security/approvals", {"cursor": "x"}, "cursor"),
        ("alice", "/security/keys", {"limit": "0"}, "limit"),
        ("partner", "/requests", {"status": "gone"}, "status"),
        ("partner", "/keys", {"cursor": ""}, "cursor"),
    ],
)
def test_wrong_queries(scene: InProcessStack, who: str, path: str, query: dict[str, str], field: str) -> None:
    """400 naming the parameter."""
    answer = scene.call(who, "GET", path, query=query)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, field)


def test_a_cursor_is_bound(scene: InProcessStack) -> None:
    """To its caller, its list and its query: another one is 400."""
    _three(scene)
    cursor = scene.call("partner", "GET", "/requests", query={"limit": "1"}).body["cursor"]

    def status(who: str, path: str, **query: Any) -> int:
        return scene.call(who, "GET", path, query={**query, "cursor": cursor}).status

    assert status("partner", "/requests", limit="2") == 200
    assert status("partner", "/requests", status="pending") == 400
    assert status("partner_colleague", "/requests") == status("other_partner", "/requests") == 400
    assert status("alice", "/security/requests") == status("partner", "/keys") == 400


def test_only_approvers_look(scene: InProcessStack) -> None:
    """Every route under /security is closed to everybody else."""
    for path in ("requests", "approvals", "keys", "events", f"keys/{scene.key_id}"):
        for who in ("partner", "key_admin", "impostor"):
            assert scene.call(who, "GET", f"/security/{path}").status == 403
