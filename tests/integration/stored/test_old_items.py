"""Items that version 0.1.0 wrote are read by the present code, and every life goes on from where it was."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.aws.attributes import plain
from grant_broker.aws.items import item_of, record_of
from grant_broker.domain.approvals import Approval
from grant_broker.domain.checks import Check
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.proposals import Proposal
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.trail import Event, Head, verify
from tests.integration.stored.recording import Item, recording, trails
from tests.support.scene import InProcessStack

MODELS: dict[str, type[Any]] = {
    "request": GrantRequest,
    "approval": Approval,
    "key": Key,
    "proposal": Proposal,
    "check": Check,
    "event": Event,
}
# What only serves indexes, and may change with them.
INDEXED = {"agenda", "covering", "held_until", "holder", "kind", "listed_at", "open_account"}
RECORDS = [item for item in recording().items if item["sk"]["S"].split("#")[0] in MODELS]


def read(item: Item) -> Any:
    """The record in an item."""
    return record_of(MODELS[item["sk"]["S"].split("#")[0]], plain(item))


def named(name: str) -> str:
    """The id of what came about so."""
    return recording().named[name]


def holds(new: Any, old: Any) -> bool:
    """Whether a stored value has everything of another; what is new in it may stand beside."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(holds(new.get(name), value) for name, value in old.items())
    if isinstance(old, list):
        return len(new) == len(old) and all(map(holds, new, old))
    return bool(new == old)


def test_every_kind_is_recorded() -> None:
    """Requests in every status, and every other kind of record."""
    kinds = Counter(type(read(item)) for item in RECORDS)
    assert set(kinds) == set(MODELS.values())
    statuses = {item["status"]["S"] for item in RECORDS if item["sk"]["S"] == "request"}
    assert statuses == {str(status) for status in Status}


@pytest.mark.parametrize("kind", MODELS)
def test_nothing_is_lost(kind: str) -> None:
    """Each record is read, and written again it has every value that it had, under its old key."""
    for item in RECORDS:
        if item["sk"]["S"].split("#")[0] == kind:
            again, before = plain(item_of(read(item))), plain(item)
            lost = {name for name in before.keys() - INDEXED if not holds(again.get(name), before[name])}
            assert lost == set(), item["pk"]


def test_trails_are_whole() -> None:
    """The hashes of old events are still what their content gives, up to the record's head."""
    for subject, items in trails().items():
        events = [read(item) for item in items if "hash" in item]
        heads = [item for item in items if "last_hash" in item]
        [record] = [it for it in map(read, heads) if it.last_hash == events[-1].hash]
        assert verify(subject, events, Head(record.events, record.last_hash)) is None


def test_votes_are_about_their_requests() -> None:
    """What an old request was approved for has the digest that the present code gives it."""
    requests = {record.id: record for record in map(read, RECORDS) if isinstance(record, GrantRequest)}
    decided = [r for r in map(read, RECORDS) if isinstance(r, Approval) and r.id in requests]
    # An adopted request has another content than the lost one that was decided on.
    found = {r.id for r in decided if r.digest == requests[r.id].digest}
    assert found == {r.id for r in decided} - {named("adopted")}


def test_names_and_ids_of_keys_are_still_held(stack: InProcessStack) -> None:
    """A name goes on leading to its key, also the old name of a closed one."""
    store = stack.brokers.broker("approvals").store
    for name, arn in recording().keys.items():
        assert store.find_label("name", name) == arn
        assert store.find_label("key_id", arn.rpartition("/")[2]) == arn


@pytest.mark.parametrize(
    "name", ["pending", "pending, later start", "pending, of a session", "pending, one vote of two"]
)
def test_a_pending_request_is_approved_taken_up_and_ended(stack: InProcessStack, name: str) -> None:
    """From an old submission to the end of its grant, through decision, take-up and expiry."""
    request_id = named(name)
    assert stack.decide(request_id, "bob").body["status"] == "approved"
    if "later" in name:
        stack.clock.sleep(2 * 86_400)
    assert stack.take_up(request_id).body["status"] == "active"
    stack.later(7_201)
    assert stack.status(request_id) == Status.EXPIRED


def test_a_pending_request_lapses(stack: InProcessStack) -> None:
    """What nobody answers leaves the agenda in time."""
    stack.later(8 * 86_400)
    stack.expire(5)
    assert stack.status(named("pending")) == stack.status(named("approved")) == Status.LAPSED


@pytest.mark.parametrize(
    ("name", "hours"), [("approved", 2), ("approved for less", 1), ("approved by standing, later", 2)]
)
def test_an_approved_request_is_taken_up(stack: InProcessStack, name: str, hours: int) -> None:
    """For as long as the old votes, or the old standing approval, agreed to."""
    if "later" in name:
        stack.clock.sleep(86_400)
    answer = stack.take_up(named(name))
    assert (answer.status, answer.body["status"]) == (201, "active")
    expires = stack.request(named(name)).expires_at
    assert expires is not None
    assert abs(expires - stack.clock.now - timedelta(hours=hours)) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("name", "after"), [("issuing, made", Status.ACTIVE), ("issuing, not made", Status.FAILED)]
)
def test_an_old_intent_is_settled(stack: InProcessStack, name: str, after: Status) -> None:
    """The grant of an intent without outcome is found by its name, or given up."""
    for _ in range(6):
        stack.later(62)
    assert stack.status(named(name)) == after


@pytest.mark.parametrize("name", ["active", "active by standing", "adopted"])
def test_an_old_grant_is_released_or_ends_on_time(stack: InProcessStack, name: str) -> None:
    """An old grant ends when it is given back, and at its expiry otherwise."""
    grant = stack.request(named(name)).grant_id
    assert grant in {each["GrantId"] for each in stack.grants()}
    expires = stack.request(named(name)).expires_at
    assert expires is not None
    if name == "active":
        assert stack.release(named(name)).status == 202
        stack.expire(3)
        assert stack.status(named(name)) == Status.RELEASED
    else:
        stack.later((expires - stack.clock.now).total_seconds() + 1)
        assert stack.status(named(name)) == Status.EXPIRED
    assert grant not in {each["GrantId"] for each in stack.grants()}


def test_what_was_ending_ends(stack: InProcessStack) -> None:
    """Whatever was `ending` is ended by the next run, for the reason that was stored."""
    stack.later(400)
    stack.expire(5)
    ended = {
        name: str(stack.status(request_id))
        for name, request_id in recording().named.items()
        if name.startswith("ending") or name.endswith("to end")
    }
    assert ended == {
        "ending by its approval": "revoked",
        "ending, released": "released",
        "ending, tried": "revoked",
        "ending before KMS shows it": "revoked",
        "malformed, adopted to end": "revoked",
    }


def test_an_old_standing_approval_covers(stack: InProcessStack) -> None:
    """What was approved ahead is granted at once, unless it was withdrawn or lacks a vote."""
    for tenant, status in (("standing", "active"), ("one grantee", "active"), ("withdrawn ahead", "pending")):
        assert stack.submit(encryption_context={"tenant": tenant}).body["status"] == status
    half = named("standing, half approved")
    path = f"/security/approvals/{half}"
    assert stack.call("alice", "GET", path).body["status"] == "pending"
    assert stack.call("bob", "POST", f"{path}/decision", {"verdict": "approve"}).body["status"] == "active"


def test_an_old_idempotency_key_holds(stack: InProcessStack) -> None:
    """Whoever sends an old call again gets what it made."""
    context = {"tenant": "pending"}
    again = stack.submit(encryption_context=context, ticket="SEC-1", once="submit-2")
    assert (again.status, again.body["id"]) == (201, named("pending"))
    decided = stack.decide(
        named("approved for less"), "bob", comment="an hour is enough", duration="PT1H", once="vote-1"
    )
    assert (decided.status, len(decided.body["decisions"])) == (200, 1)


def test_a_proposal_gets_its_second_vote(stack: InProcessStack) -> None:
    """The limits that one person proposed change with another's vote, for exactly the same document."""
    key_id = recording().keys["two_votes"].rpartition("/")[2]
    document = {
        "name": "two_votes", "quorum": 2, "max_duration": "PT1H",
        "operations": ["Encrypt", "GenerateDataKey"],
        "max_continuous": "PT3H", "required_context": {"account": "${account}", "purpose": "load"},
        "context_match": "equals",
    }  # fmt: skip
    assert stack.limit("bob", key_id, **document).status == 200
    assert stack.call("alice", "GET", f"/security/keys/{key_id}").body["max_duration"] == "PT1H"


def checks(stack: InProcessStack, key_id: str) -> list[dict[str, Any]]:
    """What the API says of both functions' checks of a key."""
    found: list[dict[str, Any]] = stack.call("alice", "GET", f"/security/keys/{key_id}/check").body["checks"]
    return found


def test_old_checks_go_on(stack: InProcessStack) -> None:
    """What a key lacked is still told, and a closed key is not checked."""
    results = {
        name: {check["result"] for check in checks(stack, arn.rpartition("/")[2])}
        for name, arn in recording().keys.items()
    }
    assert results == {
        "partner_data": {"passed"},
        "two_votes": {"passed"},
        "closed": {None},
        "not_grantable": {"failed"},
    }


def pages(stack: InProcessStack, path: str) -> Iterator[list[dict[str, Any]]]:
    """The items of each page of a list."""
    query = {"limit": "7"}
    while True:
        body = stack.call("alice", "GET", path, query=query).body
        yield body["items"]
        if body["cursor"] is None:
            return
        query["cursor"] = body["cursor"]


def test_everything_is_listed(stack: InProcessStack) -> None:
    """Old requests, approvals, keys and events are in the lists."""
    listed = {item["id"] for page in pages(stack, "/security/requests") for item in page}
    assert listed == {item["id"]["S"] for item in RECORDS if item["sk"]["S"] == "request"}
    ahead = {item["id"] for page in pages(stack, "/security/approvals") for item in page}
    assert ahead == {id_ for name, id_ in recording().named.items() if name.startswith("standing")}
