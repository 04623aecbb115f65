"""What break-glass owes: a review by somebody else, listed and counted until it is signed off."""

from typing import Any

import pytest

from grant_broker.domain.errors import Conflict
from grant_broker.domain.reviews import BREAK_GLASS, owed_for
from grant_broker.reconcile.run import reconcile
from tests.local_stack.brokers import Answer
from tests.local_stack.people import DUTY_ROLE, role_arn, unique_id
from tests.support.limits import break_glass
from tests.support.scene import START, InProcessStack, time

FOUND = {"comment": "the outage was real"}


def _broken(scene: InProcessStack, who: str = "partner", **changes: Any) -> str:
    """The id of a request that somebody was granted by break-glass."""
    request = scene.submit(who, grantee=scene.grantee(who), **changes)
    answer = scene.call(who, "POST", f"/requests/{request.body['id']}/break-glass", {"reason": "outage"})
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


def _arm(scene: InProcessStack, *who: str, **changes: Any) -> None:
    rules = break_glass(*(scene.grantee(each) for each in who))
    assert scene.limit(break_glass=rules, **changes).status == 200


def _owed(scene: InProcessStack, who: str = "alice") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scene.call(who, "GET", "/security/reviews").body["items"]
    return found


def _sign(scene: InProcessStack, name: str, who: str = "alice", *, once: str | None = None) -> Answer:
    return scene.call(who, "POST", f"/security/reviews/break-glass/{name}", FOUND, once=once)


def test_signed_off(scene: InProcessStack) -> None:
    """Listed with who, what and since when, until somebody else has looked; the trail says who did."""
    _arm(scene, "partner")
    assert _owed(scene) == []
    request_id = _broken(scene)
    owed = {
        "kind": "break-glass", "id": request_id, "key": scene.key_arn, "account": "444455556666",
        "by": scene.credentials("partner").arn, "about": "outage", "since": time(START), "may_decide": True,
        "signed_off": None,
    }  # fmt: skip
    assert _owed(scene) == [owed]
    signed = _sign(scene, request_id)
    by = {"by": scene.credentials("alice").arn, "comment": FOUND["comment"], "at": time(START)}
    assert (signed.status, signed.body) == (200, {**owed, "signed_off": by})
    assert _owed(scene) == []
    assert scene.trail(request_id)[-1] == "reviewed"


def test_once(scene: InProcessStack) -> None:
    """409 a second time, by whomever; the very same call again is answered as before."""
    _arm(scene, "partner")
    request_id = _broken(scene)
    first, again = _sign(scene, request_id, once="k"), _sign(scene, request_id, once="k")
    assert (again.status, again.body) == (200, first.body)
    assert (_sign(scene, request_id).status, _sign(scene, request_id, "bob").status) == (409, 409)


def test_nobody_signs_off_their_own(scene: InProcessStack) -> None:
    """403 for who asked, and for who holds it, under whatever role; somebody else may."""
    _arm(scene, "alice", accounts=["111122223333", "444455556666"])
    request_id = _broken(scene, "alice")
    assert [each["may_decide"] for who in ("alice", "alice_in_review") for each in _owed(scene, who)] == [
        False,
        False,
    ]
    for who in ("alice", "alice_in_review", "bob"):
        # The grantee is the role: every session of it would hold the grant.
        assert _sign(scene, request_id, who).status == 403
    assert _sign(scene, request_id, "duty").status == 200


def test_whoever_broke_it(scene: InProcessStack) -> None:
    """403 for the grantee's person who took it, although somebody else had asked."""
    _arm(scene, "duty", accounts=["111122223333"])
    asked = scene.submit("key_admin", grantee=scene.grantee("duty")).body["id"]
    path = f"/requests/{asked}/break-glass"
    assert scene.call("duty", "POST", path, {"reason": "outage"}).status == 201
    assert _sign(scene, asked, "duty_again").status == 403
    assert _sign(scene, asked, "alice").status == 200


def test_by_the_key_s_approvers(scene: InProcessStack) -> None:
    """Everybody sees it; to sign it off is for the key's approvers."""
    duty = unique_id(scene.cloud, role_arn("111122223333", DUTY_ROLE))
    _arm(scene, "partner", approvers=[duty])
    request_id = _broken(scene)
    assert [each["may_decide"] for each in _owed(scene)] == [False]
    assert _sign(scene, request_id).status == 403
    assert _sign(scene, request_id, "duty").status == 200


@pytest.mark.parametrize(
    "path", ["break-glass/{other}", "break-glass/%20", "break-glass/" + "0" * 32, "key/{id}"]
)
def test_none_owed(scene: InProcessStack, path: str) -> None:
    """404 for a request that was granted otherwise, for no request, and for no kind of review."""
    _arm(scene, "partner")
    where = path.format(other=scene.active(), id=_broken(scene))
    assert scene.call("alice", "POST", f"/security/reviews/{where}", FOUND).status == 404


def test_an_empty_comment(scene: InProcessStack) -> None:
    """400: a sign-off says what was found."""
    _arm(scene, "partner")
    path = f"/security/reviews/break-glass/{_broken(scene)}"
    answer = scene.call("alice", "POST", path, {"comment": ""})
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "comment")


def test_in_pages(scene: InProcessStack) -> None:
    """Newest first, signed ones left out, with a cursor."""
    _arm(scene, "partner")
    first = _broken(scene)
    scene.clock.sleep(1)
    second = _broken(scene)
    page = scene.call("alice", "GET", "/security/reviews", query={"limit": "1"}).body
    assert [each["id"] for each in page["items"]] == [second]
    query = {"limit": "1", "cursor": page["cursor"]}
    rest = scene.call("alice", "GET", "/security/reviews", query=query).body
    assert [each["id"] for each in rest["items"]] == [first]


def test_counted_by_reconcile(scene: InProcessStack) -> None:
    """Every run counts what is owed, for the alarm, until it is signed off."""
    _arm(scene, "partner")
    request_id = _broken(scene)
    reconcile(scene.brokers.broker("reconcile"), lambda: 300.0)
    _sign(scene, request_id)
    reconcile(scene.brokers.broker("reconcile"), lambda: 300.0)
    assert scene.measured("BreakGlassUnreviewed") == [1, 0]


def test_a_lost_record(scene: InProcessStack) -> None:
    """Of a request whose record is gone it stays listed, and nobody may sign it off."""
    _arm(scene, "partner")
    request_id = _broken(scene)
    scene.lose(request_id)
    assert [each["may_decide"] for each in _owed(scene)] == [False]
    assert _sign(scene, request_id).status == 404


def test_none_is_owed_for_what_was_approved(scene: InProcessStack) -> None:
    """The record of what is owed is made of a broken glass alone."""
    request = scene.request(scene.active())
    with pytest.raises(Conflict):
        owed_for(request)
    assert BREAK_GLASS == "break-glass"
