"""The chapter of the kill switch, and of what a key's administrator can do beyond it."""

import json
from typing import Any

from grant_broker.client.panic import Panic
from tests.local_stack.demo.actors import DENIED, Actors
from tests.local_stack.demo.steps import encrypt, granted, over, request, submission, submitted, text_of
from tests.local_stack.people import PARTNER


def kill_switch(actors: Actors) -> None:
    """The kill switch: all that an account holds ends at once, and no more comes until the block is lifted"""
    live, waiting = [granted(actors, duration) for duration in ("PT2H", "PT3H")], submitted(actors)
    encrypt(actors, "partner")
    asked = {"account": PARTNER, "reason": "their credentials leaked"}
    made = actors.api("bob", "POST", "/security/revocations", asked, expect="202").body
    path = f"/security/revocations/{made['id']}"
    # The one that ends first leaves the other in force for a moment.
    took = actors.until(lambda: all(request(actors, each)["status"] == "revoked" for each in live), "revoked")
    actors.timeline.note(f"both ended {took:.2f} s later")
    for each in live:
        actors.api("partner", "GET", each, expect="200 revoked")
    encrypt(actors, "partner", expect=DENIED)
    again = submission(actors, "partner")
    actors.api("partner", "POST", "/requests", again, expect="403 not_permitted")
    told = actors.api("alice", "GET", path, expect="200").body
    actors.timeline.note(f"matched {told['matched']}, ended {told['ended']}, left {told['left']}")
    actors.until(lambda: request(actors, waiting)["status"] == "revoked", f"{waiting} revoked")
    actors.api("alice", "DELETE", path, expect="204")
    _beyond_the_broker(actors)


def _beyond_the_broker(actors: Actors) -> None:
    """Where the rate of the ends is too slow: a Deny in the key's policy, by its administrator."""
    path = granted(actors, "PT2H")
    encrypt(actors, "partner")
    before = actors.kms("key_admin", "GetKeyPolicy", KeyId=actors.key)["Policy"]
    deny = json.loads(Panic(actors.key, [PARTNER]).merged(before))
    _put_policy(actors, deny)
    encrypt(actors, "partner", expect=DENIED)
    actors.api("partner", "DELETE", f"{path}/grant", expect="202 ending")
    over(actors, path, "released")
    _put_policy(actors, json.loads(before))


def _put_policy(actors: Actors, policy: dict[str, Any]) -> None:
    denied = [each["Sid"] for each in policy["Statement"] if each["Effect"] == "Deny"]
    told = f"kms:PutKeyPolicy with {len(denied)} Denies"
    actors.aws("key_admin", "kms", "PutKeyPolicy", told=told, KeyId=actors.key, Policy=text_of(policy))
