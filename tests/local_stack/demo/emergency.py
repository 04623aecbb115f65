"""The chapter of break-glass, and of the review that it owes."""

from tests.local_stack.demo.actors import Actors
from tests.local_stack.demo.steps import encrypt, over, submitted


def break_glass(actors: Actors) -> None:
    """Break-glass: a named principal is granted at once, so often a day; somebody else must review it"""
    path, why = f"/security/keys/{actors.key.rpartition('/')[2]}", {"reason": "the store is down"}
    request, second = submitted(actors), submitted(actors)
    actors.api("partner", "POST", f"{request}/break-glass", why, expect="403 not_permitted")
    rules = {"principals": [actors.grantee("partner")], "max_duration": "PT15M", "per_day": 1}
    actors.api("alice", "PATCH", path, {"break_glass": rules}, expect="200")
    actors.api("partner", "POST", f"{request}/break-glass", why, expect="201 active")
    encrypt(actors, "partner")
    actors.api("partner", "POST", f"{second}/break-glass", why, expect="409 conflict")
    actors.api("alice", "GET", "/security/reviews", expect="200")
    review = f"/security/reviews/break-glass/{request.rpartition('/')[2]}"
    actors.api("alice", "POST", review, {"comment": "incident 4711"}, expect="200")
    actors.api("partner", "DELETE", f"{request}/grant", expect="202 ending")
    over(actors, request, "released")
    actors.api("partner", "DELETE", second, expect="200 withdrawn")
    actors.api("alice", "PATCH", path, {"break_glass": None}, expect="200")
