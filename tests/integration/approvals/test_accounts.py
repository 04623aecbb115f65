"""Accounts: named by one person, within those that the stack trusts, and every change told."""

from typing import Any

import pytest

from grant_broker.domain.notices import notice_of
from tests.local_stack.brokers import Answer
from tests.support.scene import InProcessStack

PARTNER, OTHER, HOME = "444455556666", "666677778888", "111122223333"
BUS = f"arn:aws:events:eu-central-1:{PARTNER}:event-bus/grants"
FULL = {"name": "acme", "contact": "night desk, +49 30 1234", "event_bus": BUS}


def put(scene: InProcessStack, account: str = PARTNER, who: str = "alice", **fields: Any) -> Answer:
    """Name an account."""
    return scene.call(who, "PUT", f"/security/accounts/{account}", fields)


def trail(scene: InProcessStack, account: str = PARTNER) -> list[Any]:
    """An account's events."""
    return scene.brokers.broker("approvals").store.get_trail(f"account#{account}")


def test_named_changed_and_taken_away(scene: InProcessStack) -> None:
    """201, then 200, then 204; each change is an event by its maker, and mailed, and none is made twice."""
    assert put(scene, name="acme").status == 201
    changed = put(scene, who="bob", **FULL)
    assert (changed.status, changed.body) == (200, {"account": PARTNER, **FULL})
    assert put(scene, **FULL).body == changed.body
    path = f"/security/accounts/{PARTNER}"
    assert scene.call("alice", "GET", path).body == changed.body
    # A PUT is the whole document: what it leaves out is null.
    assert put(scene, name="acme").body["event_bus"] is None
    assert scene.call("alice", "DELETE", path).status == 204
    for method in ("GET", "DELETE"):
        assert scene.call("alice", method, path).status == 404
    assert put(scene, name="acme").status == 201
    events = trail(scene)
    assert [event.type for event in events] == [
        "account_registered", "account_changed", "account_changed", "account_withdrawn", "account_registered",
    ]  # fmt: skip
    assert events[1].by == scene.credentials("bob").arn
    assert events[1].detail["changed"] == ["contact", "event_bus"]
    notice = notice_of(events[1])
    assert notice
    assert BUS.replace("://", "[:]//") in notice.text


def test_listed_and_searched(scene: InProcessStack) -> None:
    """Newest first, without those taken away; the events of an account's entry are found by the account."""
    for account, name in ((PARTNER, "acme"), (OTHER, "globex"), (HOME, "us")):
        scene.clock.sleep(1)
        assert put(scene, account, name=name).status == 201
    assert scene.call("alice", "DELETE", f"/security/accounts/{HOME}").status == 204
    first = scene.call("alice", "GET", "/security/accounts", query={"limit": "1"}).body
    assert [each["name"] for each in first["items"]] == ["globex"]
    rest = scene.call("alice", "GET", "/security/accounts", query={"limit": "1", "cursor": first["cursor"]})
    assert [each["name"] for each in rest.body["items"]] == ["acme"]
    found = scene.call("alice", "GET", "/security/events", query={"account": OTHER}).body["items"]
    assert [event["type"] for event in found] == ["account_registered"]


@pytest.mark.parametrize(
    ("account", "fields", "field"),
    [
        ("777788889999", {"name": "acme"}, "account"),
        (OTHER, FULL, "event_bus"),
        (PARTNER, {**FULL, "event_bus": BUS.replace("eu-central-1", "us-east-1")}, "event_bus"),
        (HOME, {**FULL, "event_bus": BUS.replace(PARTNER, HOME)}, "event_bus"),
        (PARTNER, {**FULL, "event_bus": "grants"}, "event_bus"),
        (PARTNER, {"contact": "night desk"}, "name"),
        (PARTNER, {**FULL, "account": OTHER}, "account"),
        (PARTNER, {**FULL, "quorum": 1}, "quorum"),
    ],
)
def test_refused(scene: InProcessStack, account: str, fields: dict[str, Any], field: str) -> None:
    """400 that names the field, and nothing is stored: accounts of others, buses of others, no name."""
    answer = scene.call("alice", "PUT", f"/security/accounts/{account}", fields)
    assert (answer.status, [fault["field"] for fault in answer.body["errors"]]) == (400, [field])
    assert scene.call("alice", "GET", "/security/accounts").body["items"] == []


def test_only_what_was_read_is_changed(scene: InProcessStack) -> None:
    """If-Match: 412 where the entry has changed since, or is not there yet."""
    path = f"/security/accounts/{PARTNER}"
    early = scene.call("alice", "PUT", path, {"name": "acme"}, if_match='"1"')
    assert early.status == 412
    assert put(scene, name="acme").status == 201
    read = scene.call("alice", "GET", path).headers["ETag"]
    assert scene.call("alice", "PUT", path, FULL, if_match=read).status == 200
    assert scene.call("bob", "PUT", path, {"name": "x"}, if_match=read).status == 412


def test_of_two_writers_both_are_told(scene: InProcessStack) -> None:
    """Who loses a race reads the entry again and writes on top of it: neither event is lost."""
    assert put(scene, name="acme").status == 201
    with scene.meanwhile("TransactWriteItems", lambda: put(scene, who="bob", name="globex")):
        assert put(scene, **FULL).status == 200
    assert [event.detail["name"] for event in trail(scene)] == ["acme", "globex", "acme"]
