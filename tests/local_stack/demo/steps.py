"""What the demo's chapters are made of."""

import json
from typing import Any

from tests.local_stack.demo.actors import CONTEXT, DENIED, Scene
from tests.local_stack.demo.timeline import Surprise

DATA = b"order 4711"


def text_of(document: Any) -> str:
    """A policy as KMS and IAM take it."""
    return json.dumps(document)


def submission(scene: Scene, grantee: str, **changes: str) -> dict[str, Any]:
    """A submission that only needs approval."""
    return {
        "key": "partner_data",
        "grantee": scene.grantee(grantee),
        "operations": ["Encrypt"],
        "encryption_context": CONTEXT,
        "duration": "PT2H",
        "reason": "upload of today's orders",
        **changes,
    }


def submitted(scene: Scene, duration: str = "PT2H") -> str:
    """The path of a request that waits for approval."""
    asked = submission(scene, "partner", duration=duration)
    return f"/requests/{scene.api('partner', 'POST', '/requests', asked, expect='201 pending').body['id']}"


def granted(scene: Scene, duration: str) -> str:
    """The path of a request that was approved and taken up."""
    path = submitted(scene, duration)
    scene.api("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="200 approved")
    scene.api("partner", "POST", f"{path}/grant", expect="201 active")
    return path


def request(scene: Scene, path: str) -> dict[str, Any]:
    """The Request as it is now, not told."""
    return dict(scene.stack.client("partner").call("GET", path).body)


def over(scene: Scene, path: str, status: str) -> None:
    """The grant is gone, and the partner refused."""
    took = scene.until(lambda: request(scene, path)["status"] == status, f"{path} {status}")
    scene.timeline.note(f"ended {took:.2f} s later")
    scene.api("partner", "GET", path, expect=f"200 {status}")
    encrypt(scene, "partner", expect=DENIED)


def encryption(scene: Scene, context: dict[str, str] | None = None) -> dict[str, Any]:
    """The parameters of Encrypt."""
    pairs = CONTEXT if context is None else context
    return {"KeyId": scene.key, "Plaintext": DATA, "EncryptionContext": pairs}


def encrypt(
    scene: Scene, who: str, context: dict[str, str] | None = None, expect: str = "allowed"
) -> dict[str, Any]:
    """Encrypt, with the agreed context unless another is given."""
    return scene.kms(who, "Encrypt", expect=expect, **encryption(scene, context))


def encrypted(scene: Scene, who: str) -> bytes:
    """What comes of encrypting."""
    return bytes(encrypt(scene, who)["CiphertextBlob"])


def decrypt(scene: Scene, who: str, blob: bytes, *, key: str | None = None, expect: str = "allowed") -> None:
    """Decrypt with the agreed context; Surprise where something else comes out."""
    answer = scene.kms(
        who, "Decrypt", KeyId=key or scene.key, CiphertextBlob=blob, EncryptionContext=CONTEXT, expect=expect
    )
    if answer and answer["Plaintext"] != DATA:
        raise Surprise(f"{who} decrypted something else than was encrypted")
