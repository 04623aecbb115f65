"""Going on with a grant: the next one is there before the first one ends."""

from tests.local_stack.demo.actors import Actors
from tests.local_stack.demo.steps import decrypt, encrypt, encrypted, granted, over, request


def extension(actors: Actors) -> None:
    """Extension without a gap: a second grant, approved like any, and each ends at its own time"""
    old = granted(actors, "PT4S")
    path = f"{old}/extension"
    asked = {"duration": "PT7S", "reason": "the upload takes longer"}
    actors.api("partner", "POST", path, {**asked, "duration": "PT1S"}, expect="400 invalid_request")
    actors.api("partner_colleague", "POST", path, asked, expect="403 not_permitted")
    actors.api("other_partner", "POST", path, asked, expect="404 not_found")
    new = f"/requests/{actors.api('partner', 'POST', path, asked, expect='201 pending').body['id']}"
    actors.api("alice", "POST", f"/security{new}/decision", {"verdict": "approve"}, expect="200 approved")
    actors.api("partner", "POST", f"{new}/grant", expect="201 active")
    blob = encrypted(actors, "partner")
    took = actors.until(lambda: request(actors, old)["status"] == "expired", f"{old} expired")
    actors.timeline.note(f"the first grant ended {took:.2f} s later, and the second one goes on")
    encrypt(actors, "partner")
    decrypt(actors, "partner", blob, expect="AccessDeniedException")
    actors.api("partner", "POST", path, asked, expect="409 conflict")
    over(actors, new, "expired")
