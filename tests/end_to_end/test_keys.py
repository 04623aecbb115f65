"""Managed keys over HTTP: registered, changed, voted on, closed."""

import json
from typing import Any

import pytest

from tests.end_to_end.conftest import Running
from tests.support.limits import WHOLE, limits

HOME = "111122223333"


@pytest.fixture
def key_id(stack: Running) -> str:
    """A further key of the home account, with the key policy of the first."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    return str(admin.create_key(Policy=policy)["KeyMetadata"]["KeyId"])


def _put(stack: Running, person: str, key_id: str, **changes: Any) -> Any:
    return stack.call(person, "PUT", f"/security/keys/{key_id}", limits(**changes))


def test_registered_key(stack: Running) -> None:
    """The founding key has the default limits."""
    shown = stack.call("alice", "GET", f"/security/keys/{stack.key.rpartition('/')[2]}").body
    assert shown == {"key_arn": stack.key, **WHOLE, "may_decide": True}


def test_offers(stack: Running, key_id: str) -> None:
    """A third party sees the keys that are open to its account, and no others."""
    _put(
        stack,
        "alice",
        key_id,
        name="for_one",
        accounts=["666677778888"],
        required_context={"t": "${account}"},
    )
    mine = stack.call("partner", "GET", "/keys").body["items"]
    theirs = {key["name"]: key for key in stack.call("other_partner", "GET", "/keys").body["items"]}
    assert "for_one" not in [key["name"] for key in mine]
    assert theirs["for_one"]["required_context"] == {"t": "666677778888"}
    assert set(theirs["for_one"]) == {
        "key_arn", "name", "operations", "max_duration", "required_context", "context_match"
    }  # fmt: skip
    stack.call("alice", "DELETE", f"/security/keys/{key_id}")
    assert "for_one" not in [key["name"] for key in stack.call("other_partner", "GET", "/keys").body["items"]]


def test_life(stack: Running, key_id: str) -> None:
    """A key is registered with 201, changed with 200, and closed with 204 to new requests."""
    assert _put(stack, "alice", key_id, name="life", accounts=[HOME]).status == 201
    changed = _put(stack, "bob", key_id, name="life", accounts=[HOME, "444455556666"], max_duration="PT1H")
    assert (changed.status, changed.body["max_duration"]) == (200, "PT1H")
    path = f"/security/keys/{key_id}"
    assert (changed.body.pop("widened"), changed.body.pop("narrowed")) == (
        ["accounts"],
        ["max_duration", "max_continuous"],
    )
    assert stack.call("alice", "GET", path).body == changed.body
    asked = stack.submission(key="life", duration="PT2H")
    assert stack.call("partner", "POST", "/requests", asked).body["errors"][0]["field"] == "duration"
    assert stack.call("alice", "DELETE", path).status == 204
    answer = stack.call("partner", "POST", "/requests", stack.submission(key="life"))
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "key")


def test_quorum(stack: Running, key_id: str) -> None:
    """With a quorum of two, a change and a request need two people; nobody decides on their own request."""
    document = {"name": "two_people", "accounts": [HOME], "quorum": 2}
    assert _put(stack, "alice", key_id, **document).status == 201
    narrowed = document | {"max_duration": "PT2H"}
    first = _put(stack, "alice", key_id, **narrowed)
    assert (first.status, first.body["votes"], first.body["quorum"]) == (202, 1, 2)
    [proposal] = stack.call("bob", "GET", f"/security/keys/{key_id}/proposals").body["items"]
    assert (proposal["document"]["max_duration"], proposal["votes"]) == ("PT2H", 1)
    assert _put(stack, "alice", key_id, **narrowed).status == 202
    assert _put(stack, "bob", key_id, **narrowed).status == 200
    asked = stack.submission("data_reader", key="two_people")
    path = f"/security/requests/{stack.call('key_admin', 'POST', '/requests', asked).body['id']}/decision"
    approve = {"verdict": "approve"}
    assert stack.call("alice", "POST", path, approve).body["status"] == "pending"
    assert stack.call("alice", "POST", path, approve).status == 409
    assert stack.call("bob", "POST", path, approve).body["status"] == "approved"
    own = stack.call("alice", "POST", "/requests", asked).body["id"]
    refused = stack.call("alice", "POST", f"/security/requests/{own}/decision", approve)
    assert (refused.status, refused.body["code"]) == (403, "not_permitted")


@pytest.mark.parametrize("person", ["key_admin", "data_reader", "partner", "root"])
def test_approvers_only(stack: Running, person: str) -> None:
    """Neither a key's administrator nor anybody else but the security team sets limits."""
    answer = _put(stack, person, stack.key.rpartition("/")[2], name="partner_data", accounts=[HOME])
    assert (answer.status, answer.body["code"]) == (403, "not_permitted")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Capital"}, "name"),
        ({"operations": ["CreateGrant"]}, "operations"),
        ({"operations": ["Decrypt"]}, "operations"),
        ({"accounts": []}, "accounts"),
        ({"accounts": ["1"]}, "accounts"),
        ({"quorum": 0}, "quorum"),
        ({"max_duration": "PT0S"}, "max_duration"),
        ({"more": 1}, "more"),
        ({"name": "partner_data"}, "name"),
    ],
)
def test_bad_limits(stack: Running, key_id: str, changes: dict[str, Any], field: str) -> None:
    """A fault in a key's limits is named, and nothing is registered."""
    answer = _put(stack, "alice", key_id, **{"name": "fine", "accounts": [HOME]} | changes)
    assert (answer.status, answer.body["code"]) == (400, "invalid_request")
    assert field in [error["field"] for error in answer.body["errors"]]
    assert stack.call("alice", "GET", f"/security/keys/{key_id}").status == 404


def test_unknown_key(stack: Running) -> None:
    """A key that KMS does not know cannot be registered."""
    answer = _put(stack, "alice", "11111111-2222-3333-4444-555555555555", name="ghost", accounts=[HOME])
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "key_arn")
    assert json.dumps(answer.body).count("ghost") == 0
