"""What the demo's chapters are made of."""

import json
from typing import Any

from tests.local_stack.demo.actors import CONTEXT, DENIED, Actors
from tests.local_stack.demo.timeline import Surprise

DATA = b"order 4711"


def text_of(document: Any) -> str:
    """A policy as KMS and IAM take it."""
    return json.dumps(document)


def submission(actors: Actors, grantee: str, **changes: str) -> dict[str, Any]:
    """A submission that only needs approval."""
    return {
        "key": "partner_data",
        "grantee": actors.grantee(grantee),
        "operations": ["Encrypt"],
        "encryption_context": CONTEXT,
        "duration": "PT2H",
        "reason": "upload of today's orders",
        **changes,
    }


def submitted(actors: Actors, duration: str = "PT2H") -> str:
    """The path of a request that waits for approval."""
    asked = submission(actors, "partner", duration=duration)
    return f"/requests/{actors.api('partner', 'POST', '/requests', asked, expect='201 pending').body['id']}"


def granted(actors: Actors, duration: str) -> str:
    """The path of a request that was approved and taken up."""
    path = submitted(actors, duration)
    actors.api("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="200 approved")
    actors.api("partner", "POST", f"{path}/grant", expect="201 active")
    return path


def request(actors: Actors, path: str) -> dict[str, Any]:
    """The Request as it is now, not told."""
    return dict(actors.stack.client("partner").call("GET", path).body)


def over(actors: Actors, path: str, status: str) -> None:
    """The grant is gone, and the partner refused."""
    took = actors.until(lambda: request(actors, path)["status"] == status, f"{path} {status}")
    actors.timeline.note(f"ended {took:.2f} s later")
    actors.api("partner", "GET", path, expect=f"200 {status}")
    encrypt(actors, "partner", expect=DENIED)


def encryption(actors: Actors, context: dict[str, str] | None = None) -> dict[str, Any]:
    """The parameters of Encrypt."""
    pairs = CONTEXT if context is None else context
    return {"KeyId": actors.key, "Plaintext": DATA, "EncryptionContext": pairs}


def encrypt(
    actors: Actors, who: str, context: dict[str, str] | None = None, expect: str = "allowed"
) -> dict[str, Any]:
    """Encrypt, with the agreed context unless another is given."""
    return actors.kms(who, "Encrypt", expect=expect, **encryption(actors, context))


def encrypted(actors: Actors, who: str) -> bytes:
    """What comes of encrypting."""
    return bytes(encrypt(actors, who)["CiphertextBlob"])


def decrypt(
    actors: Actors, who: str, blob: bytes, *, key: str | None = None, expect: str = "allowed"
) -> None:
    """Decrypt with the agreed context; Surprise where something else comes out."""
    answer = actors.kms(
        who, "Decrypt", KeyId=key or actors.key, CiphertextBlob=blob, EncryptionContext=CONTEXT, expect=expect
    )
    if answer and answer["Plaintext"] != DATA:
        raise Surprise(f"{who} decrypted something else than was encrypted")
