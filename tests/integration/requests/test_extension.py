"""Going on with a grant without a gap: what it takes, and that each of two grants ends for itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.reconcile.run import Report as Reconciled
from grant_broker.reconcile.run import reconcile
from tests.support.faults import lost, refused
from tests.support.scene import START, InProcessStack, time

HOUR = timedelta(hours=1)


def ids(scene: InProcessStack) -> set[str]:
    """The requests whose grants live, by the names that KMS shows."""
    return {grant["Name"].split("/")[1] for grant in scene.grants()}


def compared(scene: InProcessStack) -> Reconciled:
    """A run of reconcile with time enough."""
    return reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)


def until(scene: InProcessStack, moment: Any) -> None:
    """Let time pass to a moment, and a run of expiry work then."""
    scene.clock.now = moment
    scene.expire()


@pytest.fixture
def pair(scene: InProcessStack) -> tuple[str, str]:
    """A grant of two hours, and one that extends it an hour later for two, alike but for their names."""
    scene.approve_ahead()
    old = scene.submit().body
    assert old["status"] == "active"
    scene.clock.advance(hours=1)
    new = scene.extend(old["id"], duration="PT2H").body
    assert new["status"] == "active"
    return old["id"], new["id"]


def test_people_decide(scene: InProcessStack) -> None:
    """A request of its own: like the old one but for duration and reason, approved and taken up like any."""
    old = scene.active(ticket="SEC-1")
    before = scene.call("partner", "GET", f"/requests/{old}").body
    scene.clock.advance(hours=1)
    asked = scene.extend(old)
    assert (asked.status, asked.body["status"], asked.body["grant"]) == (201, "pending", None)
    assert asked.headers["Location"] == f"/live/requests/{asked.body['id']}"
    assert asked.headers["Retry-After"] == "30"
    same = (
        "key", "grantee", "operations", "encryption_context", "context_match", "ticket", "requester",
    )  # fmt: skip
    assert {name: asked.body[name] for name in same} == {name: before[name] for name in same}
    assert (asked.body["extends"], asked.body["duration"]) == (old, "PT4H")
    assert (asked.body["reason"], asked.body["starts_at"]) == ("still loading", None)
    new = asked.body["id"]
    seen = scene.call("alice", "GET", f"/security/requests/{new}").body
    assert [other["id"] for other in seen["others"]] == [old]
    assert seen["trail"][0]["detail"]["extends"] == old
    assert scene.decide(new, "alice").status == 200
    scene.clock.advance(minutes=30)
    taken = scene.take_up(new)
    assert (taken.status, taken.body["grant"]["grant_token"] is None) == (201, False)
    assert taken.body["expires_at"] == time(START + timedelta(hours=5, minutes=30))
    assert scene.call("partner", "GET", f"/requests/{old}").body == {**before, "status": "active"}
    assert ids(scene) == {old, new}


def test_a_standing_approval_grants_it_at_once(scene: InProcessStack) -> None:
    """Covered, the answer holds the new grant; the same principal, operations and context, another id."""
    approval = scene.approve_ahead().body["id"]
    old = scene.submit().body
    scene.clock.advance(hours=1)
    new = scene.extend(old["id"], duration="PT2H")
    assert (new.status, new.body["status"], new.body["approval"]) == (201, "active", approval)
    assert new.body["grant"]["grant_token"]
    assert new.body["grant"]["grant_id"] != old["grant"]["grant_id"]
    one, other = scene.grants()
    for each in (one, other):
        del each["GrantId"], each["Name"], each["CreationDate"]
    assert one == other
    assert scene.trail(new.body["id"]) == ["submitted", "issuing", "active"]


def test_each_ends_at_its_own_time(scene: InProcessStack, pair: tuple[str, str]) -> None:
    """The old one at its time and the new one at its own; what looks for late duplicates finds none."""
    old, new = pair
    until(scene, START + 2 * HOUR)
    assert (scene.status(old), scene.status(new), ids(scene)) == (Status.EXPIRED, Status.ACTIVE, {new})
    assert compared(scene).drift == 0
    until(scene, START + 2 * HOUR + timedelta(minutes=6))
    assert (scene.request(old).absent_at is not None, ids(scene)) == (True, {new})
    until(scene, START + 3 * HOUR - timedelta(seconds=5))
    assert ids(scene) == {new}
    until(scene, START + 3 * HOUR)
    assert (scene.status(new), scene.grants()) == (Status.EXPIRED, [])
    assert scene.measured("LateDuplicates") == []


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    ("end", "status"),
    [
        (InProcessStack.release, Status.RELEASED),
        (InProcessStack.revoke, Status.REVOKED),
        (lambda scene, request: scene.lose(request), None),
    ],
    ids=["release", "revoke", "record lost"],
)
def test_neither_end_touches_the_other(
    scene: InProcessStack,
    pair: tuple[str, str],
    which: int,
    end: Callable[[InProcessStack, str], Any],
    status: Status | None,
) -> None:
    """Released, revoked, or found without a record: the other one lives on, and ends at its own time."""
    ended, other = pair[which], pair[1 - which]
    end(scene, ended)
    scene.clock.advance(seconds=1)
    scene.expire()
    left = {other} if status else {ended, other}
    assert (ids(scene), scene.status(other)) == (left, Status.ACTIVE)
    found = compared(scene)
    assert (found.drift, scene.status(ended)) == ((0, status) if status else (1, Status.ACTIVE))
    scene.clock.advance(minutes=6)
    scene.expire()
    assert (ids(scene), scene.status(other)) == (left, Status.ACTIVE)
    until(scene, START + 3 * HOUR)
    assert scene.grants() == []


def test_revoke_grant_ends_one_by_its_id(scene: InProcessStack, pair: tuple[str, str]) -> None:
    """Where retiring is refused the grant of the record's own id is revoked, and none that looks alike."""
    old, new = pair
    assert scene.release(old).status == 202
    scene.clock.advance(seconds=1)
    with scene.faults({"RetireGrant": [refused("AccessDeniedException")]}):
        scene.expire()
    assert (scene.status(old), ids(scene)) == (Status.RELEASED, {new})


def test_the_tables_restored_or_emptied(scene: InProcessStack, pair: tuple[str, str]) -> None:
    """With the request table empty each grant gets a record again by its own name, and ends at its time."""
    old, new = pair
    for request_id in pair:
        scene.lose(request_id)
    assert compared(scene).drift == 2
    assert {scene.request(one).expires_at for one in pair} == {START + 2 * HOUR, START + 3 * HOUR}
    until(scene, START + 2 * HOUR)
    assert (scene.status(old), ids(scene)) == (Status.EXPIRED, {new})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"duration": "PT1H"}, "duration"),
        ({"duration": "PT30M"}, "duration"),
        ({"duration": "PT1M"}, "duration"),
        ({"duration": "PT9H"}, "duration"),
        ({"duration": "2 hours"}, "duration"),
        ({"reason": ""}, "reason"),
        ({"reason": "x\u202e"}, "reason"),
        ({"starts_at": "2030-01-01T14:00:00Z"}, "starts_at"),
        ({"grantee": "arn:aws:iam::444455556666:role/x"}, "grantee"),
        ({"extends": "0" * 32}, "extends"),
    ],
)
def test_what_is_refused(scene: InProcessStack, body: dict[str, Any], field: str) -> None:
    """400 that names the field: too short to outlast the old grant or at all, too long, unknown."""
    old = scene.active()
    scene.clock.advance(hours=1)
    answer = scene.extend(old, **body)
    assert (answer.status, {fault["field"] for fault in answer.body["errors"]}) == (400, {field})
    assert len(scene.stored()) == 5


def test_the_least_that_outlasts(scene: InProcessStack) -> None:
    """One second more than is left of the old grant is enough."""
    old = scene.active()
    scene.clock.advance(hours=1)
    assert scene.extend(old, duration="PT3600S").body["errors"] == [
        {"field": "duration", "message": "give more: it must end after the grant that it extends"}
    ]
    assert scene.extend(old, duration="PT3601S").status == 201


def test_a_submission_names_none(scene: InProcessStack) -> None:
    """What a request extends is said by the path alone."""
    answer = scene.submit(extends=scene.active())
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "extends")


def test_it_is_tried_by_doing_it(scene: InProcessStack) -> None:
    """It has no dry run: the parameter is refused, and nothing is stored."""
    old = scene.active()
    body = {"duration": "PT4H", "reason": "x"}
    answer = scene.call("partner", "POST", f"/requests/{old}/extension", body, query={"dry_run": "true"})
    assert (answer.status, len(scene.stored())) == (400, 5)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("pending", "pending"),
        ("approved", "approved"),
        ("ending", "ending"),
        ("released", "released"),
        ("withdrawn", "withdrawn"),
    ],
)
def test_only_an_active_one(scene: InProcessStack, state: str, status: str) -> None:
    """409 that names the present status; of one that ends or has ended as well."""
    old = getattr(scene, state if state in {"pending", "approved"} else "active")()
    if state == "withdrawn":
        old = scene.pending()
        scene.call("partner", "DELETE", f"/requests/{old}")
    if state in {"ending", "released"}:
        scene.release(old)
    if state == "released":
        scene.clock.advance(seconds=1)
        scene.expire()
    answer = scene.extend(old)
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert f"the request is {status}" in answer.body["detail"]


def test_whose_it_is(scene: InProcessStack) -> None:
    """The requester's person and the grantee; a colleague is 403, another account 404 as if it were not."""
    old = scene.active(grantee=scene.grantee("partner_colleague"))
    session = scene.deployment.cloud.session_for(scene.grantee("partner"), "tomorrow")
    assert scene.extend(old, session).status == 201
    by_grantee = scene.extend(old, "partner_colleague").body
    assert by_grantee["requester"]["arn"] == scene.credentials("partner_colleague").arn
    own = scene.active()
    assert scene.extend(own, "partner_colleague").status == 403
    foreign, unknown = scene.extend(own, "other_partner"), scene.extend("0" * 32, "other_partner")
    assert (foreign.status, foreign.body) == (404, unknown.body)


def test_an_idempotency_key(scene: InProcessStack) -> None:
    """The same call again is the same request as it is now, whatever became of the old one."""
    old = scene.active()
    first = scene.extend(old, once="k")
    assert scene.decide(first.body["id"]).status == 200
    scene.release(old)
    again = scene.extend(old, once="k")
    assert (again.status, again.body["id"]) == (201, first.body["id"])
    assert (again.body["status"], again.headers["Location"]) == ("approved", first.headers["Location"])
    assert scene.extend(old, once="k", reason="another").status == 409
    other = scene.active()
    assert scene.extend(other, once="k").body["id"] != first.body["id"]
    assert scene.submit(once="k").body["id"] != first.body["id"]


def test_a_refused_body_leaves_the_key_free(scene: InProcessStack) -> None:
    """What was refused is not stored; the same key then serves another body."""
    old = scene.active()
    assert scene.extend(old, once="k", duration="PT1H").status == 400
    assert scene.extend(old, once="k").status == 201


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"max_duration": "PT3H"}, "duration"),
        ({"operations": ["DescribeKey"]}, "operations"),
        ({"accounts": ["666677778888"]}, "key"),
        ({"requesters": ["arn:aws:iam::444455556666:role/partner-colleague"]}, "key"),
        ({"required_context": {"tenant": "b"}}, "encryption_context"),
    ],
)
def test_limits_are_judged_anew(scene: InProcessStack, limits: dict[str, Any], field: str) -> None:
    """What the key's limits allow no longer is refused, although the old grant lives on under it."""
    old = scene.active()
    assert scene.limit(**limits).status == 200
    answer = scene.extend(old)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, field)
    assert scene.status(old) == Status.ACTIVE


def test_a_context_of_an_earlier_release(scene: InProcessStack) -> None:
    """What a grant has been made with can be gone on with, though it would be refused in a new submission."""
    old = scene.active()
    scope = scene.item(old)["scope"]
    scope["M"]["encryption_context"] = {"M": {"tenant\u00ad": {"S": "a"}}}
    scene.alter(old, scope=scope)
    assert scene.extend(old).body["encryption_context"] == {"tenant\u00ad": "a"}


def test_chained(scene: InProcessStack) -> None:
    """An extension is extended itself; held for longer than the key's max_continuous, people must vote."""
    assert scene.limit(max_duration="PT2H", max_continuous="PT4H").status == 200
    assert scene.approve_ahead(max_duration="PT2H").status == 201
    chain = [scene.submit(duration="PT2H").body]
    for _ in range(2):
        scene.clock.advance(hours=1)
        chain.append(scene.extend(chain[-1]["id"], duration="PT2H").body)
        assert (chain[-1]["status"], chain[-1]["extends"]) == ("active", chain[-2]["id"])
    scene.clock.advance(minutes=30)
    waiting = scene.extend(chain[-1]["id"], duration="PT2H")
    assert (waiting.status, waiting.body["status"]) == (201, "pending")
    trail = scene.call("alice", "GET", f"/security/requests/{waiting.body['id']}").body["trail"]
    assert "without a break; standing approvals cover PT4H" in trail[0]["detail"]["waits"]
    assert scene.decide(waiting.body["id"]).status == 200
    assert scene.take_up(waiting.body["id"]).status == 201


def test_shortened_by_a_vote(scene: InProcessStack) -> None:
    """It is taken up once it outlasts the old grant; before that it is 409 and stays approved."""
    old = scene.active()
    new = scene.extend(old).body["id"]
    assert scene.decide(new, duration="PT30M").status == 200
    scene.clock.advance(hours=1)
    refused_ = scene.take_up(new)
    assert (refused_.status, refused_.body["code"]) == (409, "conflict")
    assert "take it up when less than PT30M is left of that" in refused_.body["detail"]
    assert (scene.status(new), ids(scene)) == (Status.APPROVED, {old})
    scene.clock.advance(minutes=30)
    assert scene.take_up(new).status == 409
    scene.clock.advance(seconds=1)
    assert scene.take_up(new).body["expires_at"] == time(START + 2 * HOUR + timedelta(seconds=1))


@pytest.mark.parametrize("end", ["expired", "released", "lost"])
def test_taken_up_after_the_old_one_has_ended(scene: InProcessStack, end: str) -> None:
    """What was approved is approved: its time runs from its taking up, whatever became of the old grant."""
    old = scene.active()
    new = scene.extend(old).body["id"]
    assert scene.decide(new, duration="PT30M").status == 200
    if end == "released":
        scene.release(old)
    if end == "lost":
        scene.lose(old)
    else:
        until(scene, START + 2 * HOUR)
        assert ids(scene) == set()
    taken = scene.take_up(new)
    assert (taken.status, taken.body["status"]) == (201, "active")
    assert taken.body["expires_at"] == time(scene.clock.now + timedelta(minutes=30))


def test_votes_are_about_what_it_extends(scene: InProcessStack) -> None:
    """A record that is made to extend something else is not what was voted for."""
    old, other = scene.active(), scene.active(encryption_context={"tenant": "b"})
    new = scene.extend(old).body["id"]
    assert scene.decide(new).status == 200
    scene.alter(new, extends={"S": other})
    answer = scene.take_up(new)
    assert (answer.status, ids(scene)) == (409, {old, other})
    assert "the content is not what was approved" in answer.body["detail"]


def test_nobody_approves_their_own(scene: InProcessStack) -> None:
    """Whoever asks for the extension is a party to it like whoever asks for a grant."""
    assert scene.limit(accounts=["111122223333"]).status == 200
    old = scene.submit("alice", grantee=scene.grantee("data_reader")).body["id"]
    assert scene.decide(old, "bob").status == 200
    assert scene.take_up(old, "alice").status == 201
    new = scene.extend(old, "alice").body["id"]
    assert [scene.decide(new, who).status for who in ("alice", "bob")] == [403, 200]


def test_a_lost_answer(scene: InProcessStack) -> None:
    """KMS made it, its answer was lost: 503 that says where; settled by its own name, beside the old one."""
    scene.approve_ahead()
    old = scene.submit().body["id"]
    scene.clock.advance(hours=1)
    with scene.faults({"CreateGrant": [lost]}):
        answer = scene.extend(old, once="k")
    new = answer.headers["Location"].rpartition("/")[2]
    assert (answer.status, scene.status(new)) == (503, Status.ISSUING)
    scene.later(65)
    assert (scene.status(new), len(ids(scene))) == (Status.ACTIVE, 2)
    assert scene.request(new).grant_id != scene.request(old).grant_id
    assert scene.extend(old, once="k").body["id"] == new
