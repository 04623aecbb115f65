"""When a key was last used, by whomever, as the security team is told it."""

import json
from typing import Any

import pytest

from grant_broker.client.access_words import last_use_in_words
from tests.support.scene import InProcessStack


@pytest.fixture
def scene(unregistered: InProcessStack) -> InProcessStack:
    """The founding scenario; its key is not registered yet."""
    unregistered.limit()
    return unregistered


def use(scene: InProcessStack) -> str:
    """The root user uses the key; CloudTrail's event of it."""
    kms = scene.cloud.session(scene.cloud.root()).client("kms")
    policy = scene.key_policy()
    allowed = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Encrypt", "Resource": "*"}
    scene.cloud.put_key_policy(scene.key_arn, {**policy, "Statement": [*policy["Statement"], allowed]})
    kms.encrypt(KeyId=scene.key_arn, Plaintext=b"p")
    return str(kms.get_key_last_usage(KeyId=scene.key_arn)["KeyLastUsage"]["CloudTrailEventId"])


def told(scene: InProcessStack, request_id: str) -> Any:
    """What is said of it where one request is looked at."""
    return scene.call("alice", "GET", f"/security/requests/{request_id}").body["key_last_used"]


def test_whoever_decides_sees_it(scene: InProcessStack) -> None:
    """The one request that is looked at says when its key was last used, until it is closed."""
    made = scene.submit().body
    assert told(scene, made["id"])["at"] is None
    event = use(scene)
    found = told(scene, made["id"])
    assert (found["operation"], found["at"], found["event_id"]) == ("Encrypt", "2030-01-01T00:00:00Z", event)
    scene.call("partner", "DELETE", f"/requests/{made['id']}")
    assert told(scene, made["id"]) is None


def test_no_third_party_does(scene: InProcessStack) -> None:
    """What others do with a key is none of a third party's business."""
    made = scene.submit().body
    assert "key_last_used" not in scene.call("partner", "GET", f"/requests/{made['id']}").body


def test_the_access_report_has_it_once(scene: InProcessStack) -> None:
    """The first page of the access report tells it, the others do not."""
    event = use(scene)
    scene.take_up(scene.approved())
    scene.take_up(scene.approved(grantee=scene.grantee("partner_colleague")))
    first = scene.security("GET", "/access", limit="1").body
    assert first["last_used"]["event_id"] == event
    assert scene.security("GET", "/access", limit="1", cursor=first["cursor"]).body["last_used"] is None


def test_a_policy_of_an_earlier_release(scene: InProcessStack) -> None:
    """Where the key's policy does not give the right yet, nothing is known, and all else is told."""
    policy = json.loads(json.dumps(scene.key_policy()))
    for statement in policy["Statement"]:
        if "kms:GetKeyLastUsage" in statement["Action"]:
            statement["Action"].remove("kms:GetKeyLastUsage")
    scene.cloud.put_key_policy(scene.key_arn, policy)
    assert told(scene, scene.submit().body["id"]) is None
    report = scene.security("GET", "/access").body
    assert (report["last_used"], report["findings"]) == (None, [])
    assert "kms:GetKeyLastUsage" in scene.security("GET", "/policy").body["diff"]


def test_in_words() -> None:
    """What KMS did not see is not called unused; what it does not tell is not called unseen."""
    at = "2030-01-01T00:00:00Z"
    assert last_use_in_words(None) == "KMS does not tell when it was last used"
    seen = last_use_in_words({"at": at, "operation": "Encrypt", "event_id": "e", "since": at})
    assert seen == f"last used {at} by Encrypt (CloudTrail event e)"
    unseen = last_use_in_words({"at": None, "operation": None, "event_id": None, "since": at})
    assert unseen == f"no use since {at}, when KMS began to look"
