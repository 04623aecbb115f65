"""What is found out when a request is submitted, kept for its approvers and told in dry runs."""

from typing import Any

import pytest

from tests.integration.requests.test_dry_runs import approve_ahead, tried
from tests.support.faults import answered, refused
from tests.support.scene import InProcessStack

NOW = "KMS would create this grant now"


@pytest.fixture
def scene(unregistered: InProcessStack) -> InProcessStack:
    """The founding scenario; its key is not registered yet."""
    return unregistered


def preflight(scene: InProcessStack, request_id: str) -> dict[str, Any]:
    """What an approver sees."""
    answer = scene.call("alice", "GET", f"/security/requests/{request_id}")
    assert answer.status == 200
    found: dict[str, Any] = answer.body["preflight"]
    return found


def answers(found: dict[str, Any]) -> dict[str, str]:
    """The answers without their reasons."""
    return {name: value["answer"] for name, value in found.items() if name != "at"}


def test_the_founding_request(scene: InProcessStack) -> None:
    """The partner has no access yet, KMS would create the grant, and it could be ended by the last check."""
    scene.limit()
    scene.check()
    made = scene.submit().body
    assert preflight(scene, made["id"]) == {
        "at": "2030-01-01T00:00:00Z",
        "has_access": {"answer": "no", "reason": "the key policy lets it do none of this"},
        "grantee_accepted": {"answer": "yes", "reason": NOW},
        "key_usable": {"answer": "yes", "reason": NOW},
        "can_create": {"answer": "yes", "reason": NOW},
        "can_end": {"answer": "yes", "reason": "the check of 2030-01-01T00:00:00Z passed"},
    }
    assert scene.cloud.grants(scene.key_arn) == []


def test_it_is_for_approvers_alone(scene: InProcessStack) -> None:
    """The third party's own view has no preflight, nor has its list; each item of the security team's has."""
    scene.limit()
    made = scene.submit().body
    assert "preflight" not in made
    assert "preflight" not in scene.call("partner", "GET", f"/requests/{made['id']}").body
    assert "preflight" not in scene.call("partner", "GET", "/requests").body["items"][0]
    assert scene.call("alice", "GET", "/security/requests").body["items"][0]["preflight"]


def test_who_has_access_already(scene: InProcessStack) -> None:
    """A grantee that the key policy lets in already is told to the approver; IAM's part stays unknown."""
    scene.limit()
    policy = scene.key_policy()
    standing = {
        "Sid": "Standing", "Effect": "Allow", "Principal": {"AWS": scene.grantee("partner")},
        "Action": "kms:Encrypt", "Resource": "*",
    }  # fmt: skip
    scene.cloud.put_key_policy(scene.key_arn, {**policy, "Statement": [*policy["Statement"], standing]})
    found = preflight(scene, scene.submit().body["id"])["has_access"]
    assert found == {
        "answer": "unknown",
        "reason": "of Encrypt the IAM policies of the grantee's account decide",
    }


def test_a_home_grantee_with_standing_access(scene: InProcessStack) -> None:
    """In the key's own account the key policy alone decides: a dry run says so too."""
    scene.limit(accounts=["111122223333", "444455556666"])
    policy, grantee = scene.key_policy(), scene.grantee("data_reader")
    standing = {
        "Sid": "Standing", "Effect": "Allow", "Principal": {"AWS": grantee}, "Action": "kms:Encrypt",
        "Resource": "*",
    }  # fmt: skip
    scene.cloud.put_key_policy(scene.key_arn, {**policy, "Statement": [*policy["Statement"], standing]})
    body = scene.submission(grantee=grantee)
    made = scene.call("key_admin", "POST", "/requests", body)
    assert preflight(scene, made.body["id"])["has_access"]["answer"] == "yes"
    forecast = scene.call("key_admin", "POST", "/requests", body, query={"dry_run": "true"}).body
    assert forecast["outcome"] == "wait_for_approval"
    assert any(reason.startswith("the grantee has this access already: ") for reason in forecast["reasons"])
    assert any(text.startswith("the grantee has this access already: ") for text in made.body["warnings"])


@pytest.mark.parametrize(
    ("code", "no", "warning"),
    [
        ("DisabledException", "key_usable", "the key cannot be used: it is disabled"),
        (
            "KMSInvalidStateException",
            "key_usable",
            "the key cannot be used: its state allows no grants: it is pending deletion or import",
        ),
        (
            "AccessDeniedException",
            "can_create",
            "the broker cannot create the grant: the key's policy or the stack's own fences do not allow it",
        ),
        (
            "InvalidGrantIdException",
            "can_create",
            "the broker cannot create the grant: InvalidGrantIdException",
        ),
    ],
)
def test_what_kms_refuses(scene: InProcessStack, code: str, no: str, warning: str) -> None:
    """KMS's refusal is put down to the grantee, the key or the broker, and fails no submission."""
    scene.limit()
    with scene.faults({"CreateGrant": refused(code)}):
        made = scene.submit()
        forecast = tried(scene)
    assert made.status == 201
    found = preflight(scene, made.body["id"])
    expected = {**dict.fromkeys(("grantee_accepted", "key_usable", "can_create"), "unknown"), no: "no"}
    assert {name: found[name]["answer"] for name in expected} == expected
    assert (forecast["outcome"], forecast["reasons"][1:]) == ("wait_for_approval", [warning])
    assert warning in made.body["warnings"]


def test_a_grantee_that_kms_does_not_know(scene: InProcessStack) -> None:
    """The requester is warned, a dry run refuses, and the approver reads a plain sentence."""
    scene.limit()
    nobody = scene.grantee("partner") + "-that-never-was"
    made = scene.submit(grantee=nobody)
    words = "there is no role, user or session of this ARN: create it first, or mend its path"
    assert (made.status, made.body["status"]) == (201, "pending")
    assert f"KMS does not accept the grantee: {words}" in made.body["warnings"]
    assert preflight(scene, made.body["id"])["grantee_accepted"] == {"answer": "no", "reason": words}
    forecast = tried(scene, grantee=nobody)
    assert (forecast["outcome"], forecast["reasons"][1:]) == (
        "refuse", [f"KMS does not accept the grantee: {words}"],
    )  # fmt: skip
    assert made.body == {
        **scene.call("partner", "GET", f"/requests/{made.body['id']}").body, "grant": None,
    }  # fmt: skip


def test_a_grant_that_kms_would_refuse(scene: InProcessStack) -> None:
    """What would be granted at once would be refused by KMS: the dry run says refuse."""
    scene.limit()
    approve_ahead(scene)
    with scene.faults({"CreateGrant": refused("InvalidArnException")}):
        assert tried(scene)["outcome"] == "refuse"


def test_what_was_checked_before_is_kept(scene: InProcessStack) -> None:
    """Without an answer of KMS to the dry run, the last check says whether the broker can create grants."""
    scene.limit()
    scene.check()
    with scene.faults({"CreateGrant": refused("ThrottlingException")}):
        found = preflight(scene, scene.submit().body["id"])
    assert found["can_create"] == {"answer": "yes", "reason": "the check of 2030-01-01T00:00:00Z passed"}
    assert (found["key_usable"]["reason"], found["has_access"]["answer"]) == ("KMS did not answer", "no")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ThrottlingException", "KMS did not answer"),
        ("AccessDeniedException", "KMS does not show the key policy: AccessDeniedException"),
    ],
)
def test_kms_fails_no_submission(scene: InProcessStack, code: str, reason: str) -> None:
    """A key policy that cannot be had leaves the answer unknown; after a time-out KMS is not asked again."""
    scene.limit()
    with scene.faults({"GetKeyPolicy": refused(code), "CreateGrant": [None]}) as calls:
        found = preflight(scene, scene.submit().body["id"])
    assert found["has_access"] == {"answer": "unknown", "reason": reason}
    assert found["can_end"] == {"answer": "unknown", "reason": "not checked yet"}
    asked = [] if code == "ThrottlingException" else ["CreateGrant"]
    assert [call.operation for call in calls] == ["GetKeyPolicy", *asked]


def test_a_policy_that_cannot_be_read(scene: InProcessStack) -> None:
    """A key policy that no rule can read leaves the answer unknown."""
    scene.limit()
    answer = b'{"Policy": "{}", "PolicyName": "default"}'
    with scene.faults({"GetKeyPolicy": answered(answer)}):
        reason = preflight(scene, scene.submit().body["id"])["has_access"]["reason"]
    assert reason == "the key policy cannot be read: a policy is an object with a Statement"


def test_what_is_granted_at_once_needs_no_dry_run(scene: InProcessStack) -> None:
    """A covered request asks KMS for the grant itself; one that starts later is tried beforehand."""
    scene.limit()
    approve_ahead(scene)
    made = scene.submit().body
    assert made["status"] == "active"
    found = preflight(scene, made["id"])
    assert found["grantee_accepted"] == {"answer": "unknown", "reason": "KMS is asked for the grant itself"}
    later = scene.submit(starts_at="2030-01-02T00:00:00Z").body
    assert preflight(scene, later["id"])["grantee_accepted"] == {"answer": "yes", "reason": NOW}
