"""Managed keys: registering, limiting, closing, and who must agree."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.scene import ACCOUNTS, START, Scene, refused

FOREIGN = "222233334444"


def test_registered(scene: Scene) -> None:
    """201 for a new key, 200 for a change and for the same again; defaults are the encrypt side and 8 h."""
    shown = scene.call("bob", "GET", f"/security/keys/{scene.key_id}")
    assert shown.body == {
        "key_arn": scene.key_arn, "name": "partner_data",
        "operations": [
            "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptTo", "DescribeKey",
        ],
        "max_duration": "PT8H", "max_continuous": "PT8H", "required_context": {}, "context_match": "subset",
        "accounts": list(ACCOUNTS), "quorum": 1,
    }  # fmt: skip
    assert scene.limit().status == 200
    changed = scene.limit(max_duration="PT1H")
    assert (changed.status, changed.body["max_duration"]) == (200, "PT1H")
    assert _events(scene) == ["key_registered", "key_changed"]


def test_closed_and_reopened(scene: Scene) -> None:
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
    ],
)
def test_refused(scene: Scene, changes: dict[str, Any], fields: list[str]) -> None:
    """400 naming what is wrong; the limits stay as they were."""
    before = scene.call("alice", "GET", f"/security/keys/{scene.key_id}").body
    answer = scene.limit(**changes)
    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == fields
    assert scene.call("alice", "GET", f"/security/keys/{scene.key_id}").body == before


def test_a_key_that_kms_does_not_show(scene: Scene) -> None:
    """400 naming key_arn, with KMS's code; 503 while KMS does not answer; 400 for what is no key id."""
    answer = scene.limit(key_id="0d0e0f00-0000-4000-8000-000000000000", name="other")
    assert [error["field"] for error in answer.body["errors"]] == ["key_arn"]
    with scene.fault("DescribeKey", refused("ThrottlingException")):
        assert scene.limit(max_duration="PT1H").status == 503
    assert scene.limit(key_id="no_key_id").body["errors"][0]["field"] == "key_id"


@pytest.mark.parametrize(
    ("usage", "spec"), [("GENERATE_VERIFY_MAC", "HMAC_256"), ("ENCRYPT_DECRYPT", "RSA_2048")]
)
def test_the_wrong_kind_of_key(scene: Scene, usage: str, spec: str) -> None:
    """Symmetric encryption keys only: constraints work on no other."""
    arn = scene.deployment.cloud.create_key(_policy(scene), KeyUsage=usage, KeySpec=spec)
    answer = scene.limit(key_id=arn.rpartition("/")[2], name="other")
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "key_arn")


def test_a_name_is_one_key_s(scene: Scene) -> None:
    """400 while another open key has it; free again once that one is closed or renamed, and not both."""
    other = scene.deployment.cloud.create_key(_policy(scene)).rpartition("/")[2]
    answer = scene.limit(key_id=other)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "name")
    scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}")
    assert scene.limit(key_id=other).status == 201
    assert scene.limit().body["errors"][0]["field"] == "name"
    assert scene.limit(name="renamed").status == 201
    assert scene.submit().body["key"].endswith(other)


def test_two_keys_take_a_name_at_the_same_time(scene: Scene) -> None:
    """One has it; the other is refused, whichever was open before."""
    other = scene.deployment.cloud.create_key(_policy(scene)).rpartition("/")[2]
    scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}")
    with scene.meanwhile("TransactWriteItems", lambda: scene.limit(key_id=other)) as others:
        mine = scene.limit()
    assert (others[0].status, mine.status) == (201, 400)


def test_a_key_of_another_account(scene: Scene) -> None:
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


def test_an_id_leads_to_one_key(scene: Scene) -> None:
    """A second ARN with a registered id, as a multi-Region replica has, is refused."""
    twin = scene.key_arn.replace("111122223333", FOREIGN)
    with scene.fault("DescribeKey", _symmetric):
        answer = scene.limit(name="twin", key_arn=twin)
    assert answer.body["errors"] == [
        {"field": "key_arn", "message": "this key id is registered for another ARN"}
    ]


def test_a_change_needs_the_present_quorum(scene: Scene) -> None:
    """202 with the votes until enough persons have sent the same document; only then it takes effect."""
    scene.limit(quorum=2)
    first = scene.limit(max_duration="PT1H", quorum=2)
    assert (first.status, first.body) == (202, {"votes": 1, "quorum": 2})
    same_person = scene.limit("alice_in_review", max_duration="PT1H", quorum=2)
    assert (same_person.status, same_person.body["votes"]) == (202, 1)
    assert scene.call("bob", "GET", f"/security/keys/{scene.key_id}").body["max_duration"] == "PT8H"
    second = scene.limit("bob", max_duration="PT1H", quorum=2)
    assert (second.status, second.body["max_duration"]) == (200, "PT1H")
    assert _events(scene)[-2:] == ["key_voted", "key_changed"]


def test_votes_are_for_one_document(scene: Scene) -> None:
    """A vote for another document neither counts for this one nor takes its votes away."""
    scene.limit(quorum=2)
    scene.limit(max_duration="PT1H", quorum=2)
    assert scene.limit("bob", max_duration="PT2H", quorum=2).body == {"votes": 1, "quorum": 2}
    assert scene.limit("duty", max_duration="PT1H", quorum=2).status == 200
    # What was voted for the limits as they were is forgotten with them.
    assert scene.limit("alice", max_duration="PT2H", quorum=2).body == {"votes": 1, "quorum": 2}


def test_old_votes_do_not_count(scene: Scene) -> None:
    """A proposal is forgotten after a week, and by any change of the limits meanwhile."""
    scene.limit(quorum=2)
    scene.limit(max_duration="PT1H", quorum=2)
    scene.clock.now = START + timedelta(days=7)
    assert scene.limit("bob", max_duration="PT1H", quorum=2).body["votes"] == 1
    assert scene.limit("duty", max_duration="PT1H", quorum=2).status == 200


def test_two_vote_at_the_same_time(scene: Scene) -> None:
    """Both votes count."""
    scene.limit(quorum=2)
    wanted: dict[str, Any] = {"max_duration": "PT1H", "quorum": 2}
    with scene.meanwhile("TransactWriteItems", lambda: scene.limit("bob", **wanted)) as others:
        mine = scene.limit("alice", **wanted)
    assert (others[0].status, mine.status) == (202, 200)


def test_reopening_needs_the_quorum_too(scene: Scene) -> None:
    """Closing needs one person; whoever opens the key again needs what its quorum was."""
    scene.limit(quorum=2)
    scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}")
    assert scene.limit(quorum=2).status == 202
    assert scene.limit("bob", quorum=2).status == 201


def test_closed_twice_at_the_same_time(scene: Scene) -> None:
    """One closes it, the other finds it closed."""
    path = f"/security/keys/{scene.key_id}"
    with scene.meanwhile("TransactWriteItems", lambda: scene.call("bob", "DELETE", path)) as others:
        mine = scene.call("alice", "DELETE", path)
    assert (others[0].status, mine.status) == (204, 404)


def _events(scene: Scene) -> list[str]:
    events = scene.call("alice", "GET", "/security/events").body["items"]
    return [event["type"] for event in events if event["type"].startswith("key_")]


def _policy(scene: Scene, account: str = "111122223333") -> dict[str, Any]:
    """A key's policy that lets the broker see it."""
    principals = [f"arn:aws:iam::{account}:root", scene.deployment.functions["approvals"].role]
    statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _foreign_key(scene: Scene) -> str:
    """A key of another account that both sides let `approvals` describe, as across accounts both must."""
    cloud, role = scene.deployment.cloud, scene.deployment.functions["approvals"].role
    arn = cloud.create_key(_policy(scene, FOREIGN), account=FOREIGN)
    allow = {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": arn}
    policies = [*cloud.directory.principals[role].policies]
    cloud.put_role_policies(role, [*policies, {"Version": "2012-10-17", "Statement": [allow]}])
    return arn


def _symmetric(_run: Any) -> Any:
    metadata = '{"KeyManager":"CUSTOMER","KeyUsage":"ENCRYPT_DECRYPT","KeySpec":"SYMMETRIC_DEFAULT"}'
    body = f'{{"KeyMetadata":{metadata}}}'.encode()
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, body
