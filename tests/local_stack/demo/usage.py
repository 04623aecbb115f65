"""Whether a grant is used: what was seen proves use, and that nothing was seen proves nothing."""

from tests.local_stack.demo.actors import Actors
from tests.local_stack.demo.steps import encrypt, granted, over, request


def usage(actors: Actors) -> None:
    """Usage evidence: CloudTrail's event of a call comes by itself, and the request says last seen"""
    path = granted(actors, "PT1H")
    assert not request(actors, path)["usage"]["seen"]
    actors.timeline.note("never seen used, which is no proof that it was not")
    encrypt(actors, "partner")
    took = actors.until(lambda: request(actors, path)["usage"]["seen"], f"{path} seen used")
    count = request(actors, path)["usage"]["count_at_least"]
    actors.timeline.note(f"seen {took:.2f} s later: used {count} time at least")
    actors.api("partner", "DELETE", f"{path}/grant", expect="202 ending")
    over(actors, path, "released")
