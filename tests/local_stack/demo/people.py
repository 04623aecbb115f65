"""The chapter of a key's own people: who may ask, and who decides."""

from tests.local_stack.demo.actors import Actors
from tests.local_stack.demo.steps import submission, submitted


def approvers_and_requesters(actors: Actors) -> None:
    """A key names who may ask for it and who decides: others of the account and of the team may not"""
    path = f"/security/keys/{actors.key.rpartition('/')[2]}"
    _, identity = actors.tried("duty", "sts", "GetCallerIdentity")
    own = {"approvers": [identity["UserId"].partition(":")[0]], "requesters": [actors.grantee("partner")]}
    actors.api("alice", "PATCH", path, own, expect="200")
    asked = submission(actors, "partner_colleague")
    actors.api("partner_colleague", "POST", "/requests", asked, expect="400 invalid_request")
    request, vote = submitted(actors), {"verdict": "approve"}
    seen = actors.api("alice", "GET", f"/security{request}", expect="200 pending")
    actors.timeline.note(f"alice sees it; may_decide: {str(seen.body['may_decide']).lower()}")
    actors.api("alice", "POST", f"/security{request}/decision", vote, expect="403 not_permitted")
    actors.api("alice", "PATCH", path, {"approvers": None}, expect="403 not_permitted")
    actors.api("duty", "POST", f"/security{request}/decision", vote, expect="200 approved")
    actors.api("partner", "DELETE", request, expect="200 withdrawn")
    actors.api("duty", "PATCH", path, {"approvers": None, "requesters": None}, expect="200")
