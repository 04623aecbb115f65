"""A KMS that takes its time, as AWS says it may."""

from tests.local_stack.demo.actors import DENIED, Actors
from tests.local_stack.demo.steps import encrypt, encryption, over, request, submission

_SECONDS = 1.5


def spreading(actors: Actors) -> None:
    """KMS learns of grants and of their ends late: a token works at once, and a margin ends early enough"""
    key = f"/security/keys/{actors.key.rpartition('/')[2]}"
    actors.api("alice", "PATCH", key, {"margin": "PT3S"}, expect="200")
    actors.stack.spread(_SECONDS)
    asked = submission(actors, "partner", duration="PT6S")
    path = f"/requests/{actors.api('partner', 'POST', '/requests', asked, expect='201 pending').body['id']}"
    actors.api("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="200 approved")
    grant = actors.api("partner", "POST", f"{path}/grant", expect="201 active").body["grant"]
    encrypt(actors, "partner", expect=DENIED)
    actors.kms("partner", "Encrypt", **encryption(actors), GrantTokens=[grant["grant_token"]])
    actors.until(
        lambda: actors.tried("partner", "kms", "Encrypt", **encryption(actors))[0] == "allowed", "spread"
    )
    encrypt(actors, "partner")
    actors.until(lambda: request(actors, path)["status"] == "expired", "ended")
    actors.timeline.note(f"ended before {grant['expires_at']}, at {request(actors, path)['ended_at']}")
    encrypt(actors, "partner")
    actors.until(
        lambda: actors.tried("partner", "kms", "Encrypt", **encryption(actors))[0] == DENIED, "forgotten"
    )
    over(actors, path, "expired")
    actors.stack.spread(0)
    actors.api("alice", "PATCH", key, {"margin": "PT0S"}, expect="200")
