"""Break-glass: named principals are granted a pending request at once, counted, loud, and within bounds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.blocks import Block, Selectors, Standing
from grant_broker.domain.break_glass import Emergency
from grant_broker.domain.errors import Conflict
from grant_broker.domain.idempotency import Idempotency
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from grant_broker.requests.break_glass import break_glass as break_the_glass
from tests.local_stack.brokers import Answer
from tests.support.faults import lost, refused
from tests.support.limits import break_glass
from tests.support.scene import START, InProcessStack, time

WHY = {"reason": "the store is down"}


def _arm(scene: InProcessStack, *who: str, **changes: Any) -> None:
    """Let people's roles break the glass on the key."""
    rules = break_glass(*(scene.grantee(each) for each in who or ("partner",)), **changes)
    assert scene.limit(break_glass=rules).status == 200


def _break(
    scene: InProcessStack, request_id: str, who: str = "partner", *, once: str | None = None
) -> Answer:
    return scene.call(who, "POST", f"/requests/{request_id}/break-glass", WHY, once=once)


def test_granted_at_once(scene: InProcessStack) -> None:
    """Active for the shorter of the two durations, with the token; its own event, mail and metric."""
    _arm(scene)
    request_id = scene.pending(duration="PT2H")
    answer = _break(scene, request_id)
    assert (answer.status, answer.body["status"], answer.body["duration"]) == (201, "active", "PT15M")
    assert answer.body["expires_at"] == time(START + timedelta(minutes=15))
    assert (answer.body["approval"], answer.body["decisions"]) == (None, [])
    assert answer.body["grant"]["grant_token"]
    assert scene.trail(request_id) == ["submitted", "break_glass", "issuing", "active"]
    assert scene.measured("BreakGlass") == [1]
    [grant] = scene.grants()
    assert grant["Constraints"] == {"EncryptionContextEquals": {"tenant": "a"}}
    seen = scene.call("alice", "GET", f"/security/requests/{request_id}").body
    assert seen["broken_glass"] == {
        "by": scene.credentials("partner").arn, "reason": WHY["reason"], "at": time(START)
    }  # fmt: skip
    scene.clock.advance(minutes=15)
    scene.expire()
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])


def test_a_shorter_request_stays_so(scene: InProcessStack) -> None:
    """Also where a first vote has shortened it below the key's bound."""
    _arm(scene)
    assert _break(scene, scene.pending(duration="PT10M")).body["duration"] == "PT10M"
    scene.limit(break_glass=break_glass(scene.grantee("partner")), quorum=2)
    shortened = scene.pending()
    scene.decide(shortened, duration="PT5M")
    assert _break(scene, shortened).body["duration"] == "PT5M"


def test_counted_per_key_and_day(scene: InProcessStack) -> None:
    """409 once the day's are used up, ended ones included; the next day, UTC, begins anew."""
    _arm(scene, per_day=2)
    for _ in range(2):
        used = scene.pending()
        assert _break(scene, used).status == 201
        scene.release(used)
        scene.expire()
    third = scene.pending()
    answer = _break(scene, third)
    assert (answer.status, "used 2 times today" in answer.body["detail"]) == (409, True)
    assert (scene.status(third), scene.grants()) == (Status.PENDING, [])
    scene.clock.advance(hours=12)
    assert _break(scene, third).status == 201


def test_two_race_for_the_last_of_the_day(scene: InProcessStack) -> None:
    """One is granted, the other is told that the day's are used up."""
    _arm(scene, per_day=1)
    first, second = scene.pending(), scene.pending()
    with scene.meanwhile("TransactWriteItems", lambda: _break(scene, second)) as others:
        mine = _break(scene, first)
    assert sorted([mine.status, others[0].status]) == [201, 409]
    assert len(scene.grants()) == 1


@pytest.mark.parametrize(
    ("named", "who", "status"),
    [(("partner",), "partner", 201), (("partner", "partner_colleague"), "partner_colleague", 201),
     (("partner_colleague",), "partner_colleague", 403), (("partner",), "partner_colleague", 403)],
    ids=["named", "both named", "its grantee is not named", "its requester is not named"],
)  # fmt: skip
def test_who_may(scene: InProcessStack, named: tuple[str, ...], who: str, status: int) -> None:
    """Whom the key names, for a grantee whom it names: 403 for anybody else."""
    _arm(scene, *named)
    request = scene.submit(who, grantee=scene.grantee("partner")).body["id"]
    assert _break(scene, request, who).status == status
    assert len(scene.grants()) == (status == 201)


def test_a_key_without_it(scene: InProcessStack) -> None:
    """403: nobody may, until the key's limits say who."""
    assert _break(scene, scene.pending()).status == 403


def test_nobody_else_s(scene: InProcessStack) -> None:
    """403 for who is no party to the request, 404 for another account's."""
    _arm(scene, "partner", "partner_colleague", "other_partner")
    request_id = scene.pending()
    assert _break(scene, request_id, "partner_colleague").status == 403
    assert _break(scene, request_id, "other_partner").status == 404


def test_under_a_block(scene: InProcessStack) -> None:
    """403 like everything, also where the block comes between the reads and the intent."""
    _arm(scene)
    first, second = scene.pending(), scene.pending()
    store = scene.brokers.broker("approvals").store
    block = Block(selectors=Selectors(account="444455556666"))

    def stand() -> None:
        store.commit(block.stood_on(Standing(revocation="r1", since=scene.clock.now)))

    with scene.meanwhile("TransactWriteItems", stand):
        assert _break(scene, first).status == 403
    assert _break(scene, second).status == 403
    assert (scene.grants(), scene.status(first)) == ([], Status.PENDING)


@pytest.mark.parametrize("status", [Status.APPROVED, Status.ACTIVE, Status.WITHDRAWN])
def test_only_what_waits(scene: InProcessStack, status: Status) -> None:
    """409 in every other state, which is named."""
    _arm(scene)
    request_id = scene.pending() if status == Status.WITHDRAWN else scene.approved()
    if status == Status.ACTIVE:
        scene.take_up(request_id)
    if status == Status.WITHDRAWN:
        scene.call("partner", "DELETE", f"/requests/{request_id}")
    answer = _break(scene, request_id)
    assert (answer.status, str(status) in answer.body["detail"]) == (409, True)


def test_too_late_or_too_early(scene: InProcessStack) -> None:
    """409 past its answer_by, before it is closed; and before its starts_at."""
    _arm(scene)
    later = scene.pending(starts_at=time(START + timedelta(days=2)))
    request_id = scene.pending()
    assert "begin later" in _break(scene, later).body["detail"]
    scene.clock.now = scene.request(request_id).answer_by or START
    answer = _break(scene, request_id)
    assert (answer.status, "past its answer_by" in answer.body["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"operations": ["DescribeKey"]}, "outside the key's limits"),
        ({"requesters": ["arn:aws:iam::444455556666:role/other"]}, "not open to its requester"),
        ({"accounts": ["666677778888"], "break_glass": None}, "for the principals"),
    ],
)
def test_the_key_s_limits_hold(scene: InProcessStack, changes: dict[str, Any], why: str) -> None:
    """What was narrowed since is refused here as it is when a request is taken up."""
    _arm(scene)
    request_id = scene.pending()
    rules = break_glass(scene.grantee("partner"))
    assert scene.limit(**{"break_glass": rules, **changes}).status == 200
    answer = _break(scene, request_id)
    assert (answer.status in {403, 409}, why in answer.body["detail"]) == (True, True)
    assert scene.grants() == []


def test_a_key_that_cannot_be_used(scene: InProcessStack) -> None:
    """409 where the key's last check failed."""
    _arm(scene)
    request_id = scene.pending()
    scene.put_policy_without("Issue")
    scene.security("POST", "/check")
    scene.check()
    assert "last check failed" in _break(scene, request_id).body["detail"]


def test_what_had_its_grant(scene: InProcessStack) -> None:
    """A record put back to pending, as by a restore, gets no second grant."""
    _arm(scene)
    request_id = scene.pending()
    before = scene.item(request_id)
    assert _break(scene, request_id).status == 201
    scene.release(request_id)
    scene.expire()
    scene.put(scene.deployment.request_table, before)
    answer = _break(scene, request_id)
    assert (answer.status, "had its grant" in answer.body["detail"]) == (409, True)


def test_shorter_than_the_smallest_duration(scene: InProcessStack) -> None:
    """409 where the stack's smallest duration was raised since: such a grant could not end on time."""
    _arm(scene)
    broker, who = scene.brokers.broker("requests"), scene.credentials("partner")
    raised = replace(broker, settings=broker.settings.model_copy(update={"smallest_duration": 3600}))
    caller = Caller(who.arn, who.account, scene.request(request_id := scene.pending()).requester_person)
    caller = caller._replace(unique_id=caller.unique_id.partition(":")[2])
    with pytest.raises(Conflict, match="smallest duration"):
        break_the_glass(raised, caller, request_id, Emergency(reason="now"), Idempotency(None, ""))


def test_repeated(scene: InProcessStack) -> None:
    """With its Idempotency-Key the same 201 and the same grant, one of the day's; without it 409."""
    _arm(scene)
    request_id = scene.pending()
    first, again = _break(scene, request_id, once="k"), _break(scene, request_id, once="k")
    assert (first.status, again.status) == (201, 201)
    assert again.body["grant"]["grant_id"] == first.body["grant"]["grant_id"]
    assert _break(scene, request_id, once="other").status == 409
    assert _break(scene, request_id).status == 409
    scene.release(request_id)
    scene.expire()
    assert _break(scene, request_id, once="k").body["status"] == "released"
    assert scene.measured("BreakGlass") == [1]


def test_a_lost_answer(scene: InProcessStack) -> None:
    """503 while nobody knows; the same call again goes on with the stored intent."""
    _arm(scene)
    request_id = scene.pending()
    with scene.faults({"CreateGrant": [lost, lost, lost]}):
        answer = _break(scene, request_id, once="k")
    assert (answer.status, scene.status(request_id)) == (503, Status.ISSUING)
    scene.clock.sleep(5)
    assert _break(scene, request_id, once="k").body["status"] == "active"
    assert len(scene.grants()) == 1


def test_refused_by_kms(scene: InProcessStack) -> None:
    """409 and `failed`, like every grant that KMS refuses."""
    _arm(scene)
    request_id = scene.pending()
    with scene.faults({"CreateGrant": [refused("AccessDeniedException")]}):
        assert _break(scene, request_id).status == 409
    assert scene.status(request_id) == Status.FAILED


def test_an_extension_must_outlast(scene: InProcessStack) -> None:
    """409 for an extension that break-glass would end before the grant that it extends."""
    live = scene.active(duration="PT2H")
    _arm(scene)
    asked = scene.call(
        "partner", "POST", f"/requests/{live}/extension", {"duration": "PT3H", "reason": "more"}
    )
    answer = _break(scene, asked.body["id"])
    assert (answer.status, "would end before" in answer.body["detail"]) == (409, True)
    assert answer.body["detail"].startswith("the request is pending")


def test_no_object(scene: InProcessStack) -> None:
    """What is no object is told what to give."""
    answer = scene.limit(break_glass=["partner"])
    assert answer.body["errors"] == [{"field": "break_glass", "message": "give an object, in braces"}]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({}, 200), ({"max_duration": "PT9H"}, 400), ({"max_duration": "PT0.1S"}, 400), ({"per_day": 0}, 400),
     ({"per_day": 101}, 400), ({"principals": []}, 400), ({"principals": ["*"]}, 400),
     ({"principals": ["arn:aws:iam::777788889999:role/outsider"]}, 400), ({"more": 1}, 400)],
)  # fmt: skip
def test_what_a_key_may_say(scene: InProcessStack, changes: dict[str, Any], status: int) -> None:
    """Roles and users of the key's accounts, no longer than the key grants at most, so often a day."""
    answer = scene.limit(break_glass={**break_glass(scene.grantee("partner")), **changes})
    assert answer.status == status
    if status == 400:
        assert {each["field"] for each in answer.body["errors"]} == {"break_glass"}
    else:
        assert answer.body["widened"] == ["break_glass"]
        assert answer.body["break_glass"] == break_glass(scene.grantee("partner"))
