"""Managed keys: registering, limiting, closing, and who must agree."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.support.faults import refused
from tests.support.limits import WHOLE, limits
from tests.support.scene import START, InProcessStack

FOREIGN = "222233334444"


def test_registered(scene: InProcessStack) -> None:
    """201 for a new key, 200 for a change and for the same again; defaults are the encrypt side and 8 h."""
    shown = scene.call("bob", "GET", f"/security/keys/{scene.key_id}")
    assert shown.body == {"key_arn": scene.key_arn, **WHOLE, "may_decide": True}
    assert scene.limit().status == 200
    changed = scene.limit(max_duration="PT1H")
    assert (changed.status, changed.body["max_duration"]) == (200, "PT1H")
    assert _events(scene) == ["key_registered", "key_changed"]


def test_closed_and_reopened(scene: InProcessStack) -> None:
    """DELETE 204, then 404 as for no key; a PUT opens it again: 201."""
    path = f"/security/keys/{scene.key_id}"
    assert scene.call("bob", "DELETE", path).status == 204
    gone, unknown = scene.call("bob", "GET", path), scene.call("bob", "GET", "/security/keys/unknown")
    assert (gone.status, gone.body) == (404, unknown.body)
    assert scene.call("bob", "DELETE", path).status == 404
    assert scene.call("bob", "GET", "/security/keys").body["items"] == []
    assert scene.limit().status == 201
    assert scene.call("bob", "GET", path).status == 200


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"operations": ["Encrypt", "Decrypt"]}, ["operations"]),
        ({"max_continuous": "PT1H"}, ["max_continuous"]),
        ({"operations": ["Decrypt"], "max_continuous": "PT1H"}, ["operations", "max_continuous"]),
        ({"operations": ["CreateGrant"]}, ["operations"]),
        ({"quorum": 0}, ["quorum"]),
        ({"accounts": []}, ["accounts"]),
        ({"name": "Not A Name"}, ["name"]),
        ({"key_arn": "arn:aws:kms:eu-central-1:111122223333:key/another"}, ["key_arn"]),
        ({"unknown": 1}, ["unknown"]),
        ({"margin": "PT8H"}, ["margin"]),
        ({"required_context": {"a\u00ad": "b"}}, ["required_context"]),
    ],
)
def test_refused(scene: InProcessStack, changes: dict[str, Any], fields: list[str]) -> None:
    """400 naming what is wrong; the limits stay as they were."""
    before = scene.call("alice", "GET", f"/security/keys/{scene.key_id}").body
    answer = scene.limit(**changes)
    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == fields
    assert scene.call("alice", "GET", f"/security/keys/{scene.key_id}").body == before


def test_a_key_that_kms_does_not_show(scene: InProcessStack) -> None:
    """400 naming key_arn, with KMS's code; 503 while KMS does not answer; 404 for what is no key id."""
    answer = scene.limit(key_id="0d0e0f00-0000-4000-8000-000000000000", name="other")
    assert [error["field"] for error in answer.body["errors"]] == ["key_arn"]
    with scene.faults({"DescribeKey": refused("ThrottlingException")}):
        assert scene.limit(max_duration="PT1H").status == 503
    assert scene.limit(key_id="no_key_id").status == 404


@pytest.mark.parametrize(
    ("usage", "spec"), [("GENERATE_VERIFY_MAC", "HMAC_256"), ("ENCRYPT_DECRYPT", "RSA_2048")]
)
def test_the_wrong_kind_of_key(scene: InProcessStack, usage: str, spec: str) -> None:
    """Symmetric encryption keys only: constraints work on no other."""
    arn = scene.deployment.cloud.create_key(_policy(scene), KeyUsage=usage, KeySpec=spec)
    answer = scene.limit(key_id=arn.rpartition("/")[2], name="other")
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "key_arn")


def test_a_name_is_one_key_s(scene: InProcessStack) -> None:
    """400 while another open key has it; free again once that one is closed or renamed, and not both."""
    other = scene.deployment.cloud.create_key(_policy(scene)).rpartition("/")[2]
    answer = scene.limit(key_id=other)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "name")
    scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}")
    assert scene.limit(key_id=other).status == 201
    assert scene.limit().body["errors"][0]["field"] == "name"
    assert scene.limit(name="renamed").status == 201
    assert scene.submit().body["key"].endswith(other)


def test_two_keys_take_a_name_at_the_same_time(scene: InProcessStack) -> None:
    """One has it; the other is refused, whichever was open before."""
    other = scene.deployment.cloud.create_key(_policy(scene)).rpartition("/")[2]
    scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}")
    with scene.meanwhile("TransactWriteItems", lambda: scene.limit(key_id=other)) as others:
        mine = scene.limit()
    assert (others[0].status, mine.status) == (201, 400)


def test_a_key_of_another_account(scene: InProcessStack) -> None:
    """Registered by its ARN, it is found by its id like any other: read, limited, closed."""
    arn = _foreign_key(scene)
    key_id = arn.rpartition("/")[2]
    assert scene.limit(key_id=key_id, name="theirs").status == 400
    assert scene.limit(key_id=key_id, name="theirs", key_arn=arn).status == 201
    path = f"/security/keys/{key_id}"
    assert scene.call("bob", "GET", path).body["key_arn"] == arn
    # The ARN need not be given again.
    assert scene.limit(key_id=key_id, name="theirs", max_duration="PT1H").body["key_arn"] == arn
    assert scene.submit(key="theirs", duration="PT1H").body["key"] == arn
    assert scene.call("bob", "DELETE", path).status == 204
    assert scene.call("bob", "GET", path).status == 404


def _without(*names: str, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in limits(**changes).items() if name not in names}


@pytest.mark.parametrize("field", WHOLE)
def test_nothing_is_changed_by_silence(scene: InProcessStack, field: str) -> None:
    """A registered key's document lacks a field: 400 that names it, open or closed, and nothing changes."""
    path = f"/security/keys/{scene.key_id}"
    scene.limit(required_context={"tenant": "${account}"}, quorum=2)
    before = scene.call("bob", "GET", path).body
    answer = scene.call("alice", "PUT", path, _without(field))
    assert answer.body["errors"] == [{"field": field, "message": "missing: give this field"}]
    assert scene.call("bob", "GET", path).body == before
    scene.call("alice", "DELETE", path)
    assert scene.call("alice", "PUT", path, _without(field)).status == 400


def test_missing_and_invalid_fields_come_together(scene: InProcessStack) -> None:
    """In one 400."""
    body = _without("required_context", "accounts", max_duration=1, unknown=2)
    answer = scene.call("alice", "PUT", f"/security/keys/{scene.key_id}", body)
    assert answer.status == 400
    fields = {fault["field"] for fault in answer.body["errors"]}
    assert fields == {"required_context", "accounts", "max_duration", "unknown"}


def test_a_new_key_takes_defaults(scene: InProcessStack) -> None:
    """Only its name and its accounts must be given; it takes the narrower context match."""
    other = scene.deployment.cloud.create_key(_policy(scene)).rpartition("/")[2]
    body = {"name": "other", "accounts": ["444455556666"]}
    made = scene.call("alice", "PUT", f"/security/keys/{other}", body)
    assert (made.status, made.body["context_match"], made.body["max_continuous"]) == (201, "equals", None)
    assert (made.body["widened"], made.body["narrowed"]) == ([], [])
    shown = {name: made.body[name] for name in WHOLE}
    assert shown == limits(name="other", accounts=["444455556666"], context_match="equals")


def test_what_is_read_can_be_put(scene: InProcessStack) -> None:
    """GET's document, sent back, is the same key: 200 with nothing widened or narrowed."""
    path = f"/security/keys/{scene.key_id}"
    read = scene.call("bob", "GET", path)
    again = scene.call("alice", "PUT", path, read.body)
    assert (again.status, again.body) == (200, {**read.body, "widened": [], "narrowed": []})
    assert again.headers["ETag"] == read.headers["ETag"]
    assert _events(scene) == ["key_registered"]


def test_widened_and_narrowed(scene: InProcessStack) -> None:
    """The answer and the event name the fields that a change opens and closes."""
    changed = scene.limit(max_duration="PT10H", accounts=["444455556666"], required_context={"a": "b"})
    assert changed.body["widened"] == ["max_duration", "max_continuous"]
    assert changed.body["narrowed"] == ["required_context", "accounts"]
    [event] = scene.call("bob", "GET", "/security/events", query={"type": "key_changed"}).body["items"]
    assert (event["detail"]["widened"], event["detail"]["narrowed"]) == (
        ["max_duration", "max_continuous"], ["required_context", "accounts"],
    )  # fmt: skip


def test_patch(scene: InProcessStack) -> None:
    """PATCH changes what it names and leaves the rest; null sets null; an empty one changes nothing."""
    path = f"/security/keys/{scene.key_id}"
    scene.limit(required_context={"tenant": "${account}"}, max_continuous="PT9H")
    changed = scene.call("alice", "PATCH", path, {"max_duration": "PT1H", "max_continuous": None})
    assert (changed.status, changed.body["narrowed"]) == (200, ["max_duration", "max_continuous"])
    shown = limits(required_context={"tenant": "${account}"}, max_duration="PT1H")
    assert scene.call("bob", "GET", path).body == {"key_arn": scene.key_arn, **shown, "may_decide": True}
    events = _events(scene)
    assert scene.call("alice", "PATCH", path, {}).status == 200
    assert _events(scene) == events


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"max_duration": 1, "more": 2}, ["max_duration", "more"]), ({"accounts": None}, ["accounts"]),
        ({"key_arn": "arn:aws:kms:eu-central-1:111122223333:key/another"}, ["key_arn"]),
        ({"operations": ["Decrypt"]}, ["operations"]), ({"name": ""}, ["name"]),
    ],
)  # fmt: skip
def test_bad_patches(scene: InProcessStack, body: dict[str, Any], fields: list[str]) -> None:
    """400 naming each fault, as for the whole document."""
    answer = scene.call("alice", "PATCH", f"/security/keys/{scene.key_id}", body)
    assert (answer.status, [fault["field"] for fault in answer.body["errors"]]) == (400, fields)


def test_patch_of_no_open_key(scene: InProcessStack) -> None:
    """404 for a key that is not registered and for a closed one, which only a whole document opens."""
    assert scene.call("alice", "PATCH", "/security/keys/none", {"quorum": 1}).status == 404
    scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}")
    assert scene.call("alice", "PATCH", f"/security/keys/{scene.key_id}", {"quorum": 1}).status == 404


def test_patch_is_a_vote(scene: InProcessStack) -> None:
    """With a quorum of two it votes for the whole document that it comes to, as a PUT of that does."""
    path = f"/security/keys/{scene.key_id}"
    scene.limit(quorum=2)
    first = scene.call("alice", "PATCH", path, {"max_duration": "PT1H"})
    assert (first.status, first.body["votes"]) == (202, 1)
    assert scene.limit("bob", max_duration="PT1H", quorum=2).status == 200


def test_patch_on_what_another_writer_left(scene: InProcessStack) -> None:
    """A change that came first stays: what a PATCH does not name is not put back."""
    path = f"/security/keys/{scene.key_id}"
    with scene.meanwhile("TransactWriteItems", lambda: scene.limit(max_duration="PT1H")):
        assert scene.call("bob", "PATCH", path, {"quorum": 2}).status == 200
    shown = scene.call("bob", "GET", path).body
    assert (shown["max_duration"], shown["quorum"]) == ("PT1H", 2)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_if_match(scene: InProcessStack, method: str) -> None:
    """A change that names a stale ETag is 412 and changes nothing, in a race too; the present one passes."""
    path = f"/security/keys/{scene.key_id}"
    first = scene.call("alice", "GET", path).headers["ETag"]
    body = limits(max_duration="PT2H")
    changed = scene.call("alice", method, path, body, if_match=first)
    assert (changed.status, changed.headers["ETag"] == first) == (200, False)
    stale = scene.call("bob", method, path, limits(max_duration="PT3H"), if_match=first)
    assert (stale.status, stale.body["code"]) == (412, "precondition_failed")
    now = changed.headers["ETag"]
    with scene.meanwhile("TransactWriteItems", lambda: scene.limit(max_duration="PT4H")):
        lost = scene.call("bob", method, path, limits(max_duration="PT3H"), if_match=now)
    assert lost.status == 412
    assert scene.call("alice", "GET", path).body["max_duration"] == "PT4H"
    assert scene.call("bob", method, path, limits(), if_match="*").status == 200
    assert scene.call("bob", method, path, limits(), if_match="2").body["errors"][0]["field"] == "If-Match"


def test_if_match_on_a_new_key(scene: InProcessStack) -> None:
    """412: there is nothing that could have been read."""
    other = scene.deployment.cloud.create_key(_policy(scene)).rpartition("/")[2]
    path = f"/security/keys/{other}"
    assert scene.call("alice", "PUT", path, limits(name="other"), if_match="*").status == 412
    assert scene.call("alice", "PUT", path, limits(name="other")).status == 201


def test_votes_leave_the_etag(scene: InProcessStack) -> None:
    """A vote for another document changes no limit: who read them before may still change them."""
    path = f"/security/keys/{scene.key_id}"
    scene.limit(quorum=2)
    read = scene.call("alice", "GET", path).headers["ETag"]
    assert scene.limit("alice", max_duration="PT1H", quorum=2).status == 202
    assert scene.call("alice", "GET", path).headers["ETag"] == read


def test_proposals(scene: InProcessStack) -> None:
    """What waits for votes: the document, its votes, what it would change; not what has come to nothing."""
    path = f"/security/keys/{scene.key_id}/proposals"
    assert scene.call("bob", "GET", path).body == {"items": [], "cursor": None}
    scene.limit(quorum=2)
    scene.limit("alice", max_duration="PT1H", quorum=2)
    scene.clock.sleep(60)
    scene.limit("bob", accounts=["444455556666"], quorum=2)
    second, first = scene.call("bob", "GET", path).body["items"]
    assert first["document"] == {"key_arn": scene.key_arn, **limits(max_duration="PT1H", quorum=2)}
    assert (first["votes"], first["quorum"]) == (1, 2)
    assert (first["widened"], first["narrowed"]) == ([], ["max_duration", "max_continuous"])
    assert (first["proposed_at"], first["lapses_at"]) == ("2030-01-01T12:00:00Z", "2030-01-08T12:00:00Z")
    assert second["narrowed"] == ["accounts"]
    # To vote for a proposal is to send its document.
    assert scene.call("bob", "PUT", f"/security/keys/{scene.key_id}", first["document"]).status == 200
    assert scene.call("bob", "GET", path).body["items"] == []
    assert scene.call("bob", "GET", "/security/keys/none/proposals").status == 404


def test_proposals_come_in_pages(scene: InProcessStack) -> None:
    """As every list: newest first, as many as asked for, each once."""
    path = f"/security/keys/{scene.key_id}/proposals"
    scene.limit(quorum=2)
    for hours in (1, 2, 3):
        scene.limit("alice", max_duration=f"PT{hours}H", quorum=2)
        scene.clock.sleep(1)
    page = scene.call("bob", "GET", path, query={"limit": "2"}).body
    rest = scene.call("bob", "GET", path, query={"limit": "2", "cursor": page["cursor"]}).body
    shown = [each["document"]["max_duration"] for each in (*page["items"], *rest["items"])]
    assert (shown, rest["cursor"]) == (["PT3H", "PT2H", "PT1H"], None)
    assert scene.call("bob", "GET", path, query={"limit": "0"}).status == 400


def test_a_second_spelling_is_the_same_key(scene: InProcessStack) -> None:
    """In capitals, or as KMS alone knows it: one key, in the path, in the body and in a submission."""
    capitals = f"{scene.key_arn.rpartition('/')[0]}/{scene.key_id.upper()}"
    read = scene.call("bob", "GET", f"/security/keys/{scene.key_id.upper()}")
    assert read.body["key_arn"] == scene.key_arn
    changed = scene.limit(key_id=scene.key_id.upper(), key_arn=capitals, max_duration="PT1H")
    assert (changed.status, changed.body["key_arn"]) == (200, scene.key_arn)
    assert scene.submit(key=capitals, duration="PT1H").body["key"] == scene.key_arn
    other_region = scene.key_arn.replace("eu-central-1", "eu-west-1")
    with scene.faults({"DescribeKey": partial(_symmetric, arn=scene.key_arn)}):
        same = scene.limit(key_arn=other_region, max_duration="PT2H")
    assert (same.status, same.body["key_arn"]) == (200, scene.key_arn)
    assert len(scene.call("bob", "GET", "/security/keys").body["items"]) == 1


def test_a_replica_has_its_region_before_the_id(scene: InProcessStack) -> None:
    """Keys that share an id are told apart by their Region; without one it is the key registered first."""
    replica = scene.key_arn.replace("eu-central-1", "eu-west-1")
    named = f"eu-west-1:{scene.key_id}"
    with scene.faults({"DescribeKey": partial(_symmetric, arn=replica)}):
        made = scene.limit(key_id=named, name="replica")
    assert (made.status, made.body["key_arn"]) == (201, replica)
    assert scene.call("bob", "GET", f"/security/keys/{named}").body["name"] == "replica"
    assert scene.call("bob", "GET", f"/security/keys/{scene.key_id}").body["name"] == "partner_data"
    home = f"/security/keys/eu-central-1:{scene.key_id}"
    assert scene.call("bob", "GET", home).body["name"] == "partner_data"
    assert scene.call("bob", "GET", f"/security/keys/eu-north-1:{scene.key_id}").status == 404


def test_an_id_leads_to_one_key(scene: InProcessStack) -> None:
    """A second ARN with a registered id, as a multi-Region replica has, is refused."""
    twin = scene.key_arn.replace("111122223333", FOREIGN)
    with scene.faults({"DescribeKey": partial(_symmetric, arn=twin)}):
        answer = scene.limit(name="twin", key_arn=twin)
    message = "this key id is registered for another account's ARN"
    assert answer.body["errors"] == [{"field": "key_arn", "message": message}]


def test_a_change_needs_the_present_quorum(scene: InProcessStack) -> None:
    """202 with the votes until enough persons have sent the same document; only then it takes effect."""
    scene.limit(quorum=2)
    first = scene.limit(max_duration="PT1H", quorum=2)
    assert (first.status, first.body) == (
        202,
        {"votes": 1, "quorum": 2, "widened": [], "narrowed": ["max_duration", "max_continuous"]},
    )
    same_person = scene.limit("alice_in_review", max_duration="PT1H", quorum=2)
    assert (same_person.status, same_person.body["votes"]) == (202, 1)
    assert scene.call("bob", "GET", f"/security/keys/{scene.key_id}").body["max_duration"] == "PT8H"
    second = scene.limit("bob", max_duration="PT1H", quorum=2)
    assert (second.status, second.body["max_duration"]) == (200, "PT1H")
    assert _events(scene)[-2:] == ["key_voted", "key_changed"]


def test_two_kinds_of_role_are_no_two_persons(scene: InProcessStack) -> None:
    """On a mixed list one human may come twice: for limits too only Identity Center's persons count."""
    scene.limit(quorum=2)
    for who, votes in (("duty", 0), ("alice", 1), ("duty_again", 1)):
        answer = scene.limit(who, max_duration="PT1H", quorum=2)
        assert (answer.status, answer.body["votes"]) == (202, votes)
    [proposal] = scene.call("bob", "GET", f"/security/keys/{scene.key_id}/proposals").body["items"]
    assert (proposal["votes"], proposal["quorum"]) == (1, 2)
    assert scene.limit("bob", max_duration="PT1H", quorum=2).status == 200


def test_votes_are_for_one_document(scene: InProcessStack) -> None:
    """A vote for another document neither counts for this one nor takes its votes away."""
    scene.limit(quorum=2)
    scene.limit(max_duration="PT1H", quorum=2)
    assert scene.limit("bob", max_duration="PT2H", quorum=2).body["votes"] == 1
    assert scene.limit("carol", max_duration="PT1H", quorum=2).status == 200
    # What was voted for the limits as they were is forgotten with them.
    assert scene.limit("alice", max_duration="PT2H", quorum=2).body["votes"] == 1


def test_old_votes_do_not_count(scene: InProcessStack) -> None:
    """A proposal is forgotten after a week, and by any change of the limits meanwhile."""
    scene.limit(quorum=2)
    scene.limit(max_duration="PT1H", quorum=2)
    scene.clock.now = START + timedelta(days=7)
    assert scene.limit("bob", max_duration="PT1H", quorum=2).body["votes"] == 1
    assert scene.limit("carol", max_duration="PT1H", quorum=2).status == 200


def test_two_vote_at_the_same_time(scene: InProcessStack) -> None:
    """Both votes count."""
    scene.limit(quorum=2)
    wanted: dict[str, Any] = {"max_duration": "PT1H", "quorum": 2}
    with scene.meanwhile("TransactWriteItems", lambda: scene.limit("bob", **wanted)) as others:
        mine = scene.limit("alice", **wanted)
    assert (others[0].status, mine.status) == (202, 200)


def test_reopening_needs_the_quorum_too(scene: InProcessStack) -> None:
    """Closing needs one person; whoever opens the key again needs what its quorum was."""
    scene.limit(quorum=2)
    scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}")
    assert scene.limit(quorum=2).status == 202
    assert scene.limit("bob", quorum=2).status == 201


def test_closed_twice_at_the_same_time(scene: InProcessStack) -> None:
    """One closes it, the other finds it closed."""
    path = f"/security/keys/{scene.key_id}"
    with scene.meanwhile("TransactWriteItems", lambda: scene.call("bob", "DELETE", path)) as others:
        mine = scene.call("alice", "DELETE", path)
    assert (others[0].status, mine.status) == (204, 404)


def _events(scene: InProcessStack) -> list[str]:
    events = scene.call("alice", "GET", "/security/events").body["items"]
    return [event["type"] for event in events if event["type"].startswith("key_")]


def _policy(scene: InProcessStack, account: str = "111122223333") -> dict[str, Any]:
    """A key's policy that lets the broker see it."""
    principals = [f"arn:aws:iam::{account}:root", scene.deployment.functions["approvals"].role]
    statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _foreign_key(scene: InProcessStack) -> str:
    """A key of another account that both sides let `approvals` describe, as across accounts both must."""
    cloud, role = scene.deployment.cloud, scene.deployment.functions["approvals"].role
    arn = cloud.create_key(_policy(scene, FOREIGN), account=FOREIGN)
    allow = {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": arn}
    policies = [*cloud.directory.principals[role].policies]
    cloud.put_role_policies(role, [*policies, {"Version": "2012-10-17", "Statement": [allow]}])
    return arn


def _symmetric(_run: Any, *, arn: str) -> Any:
    kind = {"KeyManager": "CUSTOMER", "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT"}
    body = json.dumps({"KeyMetadata": {**kind, "Arn": arn, "KeyId": arn.rpartition("/")[2]}}).encode()
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, body
