"""Going on with a grant without a gap, over signed HTTP and on strict KMS."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.conftest import Running

CONTEXT = {"dataset": "extended"}


def encrypt(stack: Running, **changes: Any) -> bytes:
    """What the partner gets of KMS without a grant token."""
    given = {"KeyId": stack.key, "Plaintext": b"order", "EncryptionContext": CONTEXT, **changes}
    return bytes(stack.aws("partner", "kms").encrypt(**given)["CiphertextBlob"])


def refused(stack: Running, **changes: Any) -> bool:
    """Whether KMS denies it."""
    with pytest.raises(ClientError) as denied:
        encrypt(stack, **changes)
    return denied.value.response["Error"]["Code"] == "AccessDeniedException"


def test_without_a_gap(stack: Running) -> None:
    """The partner encrypts until the second grant ends, and is never allowed more than was agreed."""
    old = stack.granted(encryption_context=CONTEXT, duration="PT4S")
    path = f"/requests/{old['id']}/extension"
    asked = {"duration": "PT7S", "reason": "more orders"}
    short = stack.call("partner", "POST", path, {**asked, "duration": "PT1S"})
    assert (short.status, short.body["errors"][0]["field"]) == (400, "duration")
    assert stack.call("partner_colleague", "POST", path, asked).status == 403
    assert stack.call("other_partner", "POST", path, asked).status == 404
    made = stack.call("partner", "POST", path, asked)
    assert (made.status, made.body["extends"], made.body["grant"]) == (201, old["id"], None)
    new = f"/requests/{made.body['id']}"
    assert made.headers["Location"] == f"/live{new}"
    assert stack.call("partner", "POST", f"{new}/grant").status == 409
    assert stack.call("alice", "POST", f"/security{new}/decision", {"verdict": "approve"}).status == 200
    taken = stack.call("partner", "POST", f"{new}/grant")
    assert (taken.status, taken.body["status"]) == (201, "active")
    assert taken.body["grant"]["grant_id"] != old["grant"]["grant_id"]
    blob = encrypt(stack)
    assert refused(stack, EncryptionContext={"dataset": "others"})
    assert stack.until("expired", old)["expires_at"] == old["expires_at"]
    assert encrypt(stack)
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.aws("partner", "kms").decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
    late = stack.call("partner", "POST", path, asked)
    assert (late.status, "expired" in late.body["detail"]) == (409, True)
    stack.until("expired", made.body)
    assert refused(stack)


def test_neither_end_touches_the_other(stack: Running) -> None:
    """Of two grants that are alike one is released, then the other revoked: each ends by itself."""
    old = stack.granted(encryption_context=CONTEXT)
    asked = {"duration": "PT2H", "reason": "more orders"}
    made = stack.call("partner", "POST", f"/requests/{old['id']}/extension", asked).body
    path = f"/requests/{made['id']}"
    stack.call("alice", "POST", f"/security{path}/decision", {"verdict": "approve"})
    new = stack.call("partner", "POST", f"{path}/grant").body
    assert stack.call("partner", "DELETE", f"/requests/{old['id']}/grant").status == 202
    stack.until("released", old)
    assert encrypt(stack)
    assert stack.call("partner", "GET", path).body["status"] == "active"
    revoked = stack.call("alice", "DELETE", f"/security{path}/grant", {"reason": "enough"})
    assert revoked.status == 202
    stack.until("revoked", new)
    assert refused(stack)
