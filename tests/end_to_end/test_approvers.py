"""A key's own approvers and requesters, over signed HTTP."""

from tests.end_to_end.conftest import Running
from tests.support.limits import limits


def _role_id(stack: Running, person: str) -> str:
    identity = stack.aws(person, "sts").get_caller_identity()
    return str(identity["UserId"].partition(":")[0])


def test_a_key_of_its_own_people(stack: Running) -> None:
    """The named role asks, the named role decides, what was granted is used; nobody else does either."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    key_id = admin.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    path = f"/security/keys/{key_id}"
    document = limits(
        name="reserved", approvers=[_role_id(stack, "duty")], requesters=[stack.grantee("partner")]
    )
    assert stack.call("alice", "PUT", path, document).body["may_decide"] is False
    asked = stack.submission(key="reserved")
    refused = stack.call("partner_colleague", "POST", "/requests", asked)
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "key")
    offers = [key["name"] for key in stack.call("partner_colleague", "GET", "/keys").body["items"]]
    assert "reserved" not in offers
    request = stack.call("partner", "POST", "/requests", asked).body["id"]
    decision, approve = f"/security/requests/{request}/decision", {"verdict": "approve"}
    assert stack.call("alice", "GET", f"/security/requests/{request}").body["may_decide"] is False
    assert stack.call("alice", "POST", decision, approve).status == 403
    assert stack.call("duty", "POST", decision, approve).body["status"] == "approved"
    grant = stack.call("partner", "POST", f"/requests/{request}/grant").body
    kms, arn = stack.aws("partner", "kms"), stack.key.replace(stack.key.rpartition("/")[2], key_id)
    context, token = grant["encryption_context"], [grant["grant"]["grant_token"]]
    assert kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=context, GrantTokens=token)
    stack.call("partner", "DELETE", f"/requests/{request}/grant")
    assert stack.call("alice", "PATCH", path, {"quorum": 1}).status == 403
    assert stack.call("alice", "DELETE", path).status == 204
