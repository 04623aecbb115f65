"""Many at once on the same records: one wins, nothing is lost, and every invariant holds.

Eight threads on moto's DynamoDB under its lock; in `.ci/run` 32 on DynamoDB Local, without one.
"""

import random
from collections import Counter

import pytest

from grant_broker.approvals import standing_approvals
from grant_broker.approvals.revoke import revoke
from grant_broker.approvals.votes import vote
from grant_broker.domain.decisions import Decision
from grant_broker.domain.errors import Conflict, KmsRefused, NotPermitted, Stale, Unavailable
from grant_broker.domain.idempotency import Idempotency
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.submission import Submission
from grant_broker.domain.votes import Verdict
from grant_broker.expiry.steps import act
from grant_broker.requests.submit import submit
from grant_broker.requests.take_up import take_up
from grant_broker.requests.withdraw import get_own_request, release, withdraw
from tests.integration.races.arena import THREADS, Arena, Move, Outcome
from tests.integration.races.people import approver, partner
from tests.support.scene import InProcessStack

_ONCE = Idempotency(None, "digest")
# What the API answers with 409 or 503: somebody else was first, or is still at work.
_TOLD = (Conflict, Stale, Unavailable)


@pytest.fixture
def arena(scene: InProcessStack) -> Arena:
    """The deployment, empty, and its brokers."""
    return Arena(scene)


def _vote(arena: Arena, request_id: str, number: int, verdict: Verdict = Verdict.APPROVE) -> Move:
    decision = Decision(verdict=verdict, comment="no" if verdict == Verdict.DENY else "")
    broker, caller = arena.brokers.broker("approvals"), approver(arena.scene, number)
    return lambda: vote(broker, caller, request_id, decision, _ONCE)


def _take_up(arena: Arena, request_id: str) -> Move:
    broker, caller = arena.brokers.broker("requests"), partner(arena.scene)
    return lambda: take_up(broker, get_own_request(broker, caller, request_id), by=caller.arn)


def _withdraw(arena: Arena, request_id: str) -> Move:
    broker, caller = arena.brokers.broker("requests"), partner(arena.scene)
    return lambda: withdraw(broker, caller, request_id)


def _release(arena: Arena, request_id: str) -> Move:
    broker, caller = arena.brokers.broker("requests"), partner(arena.scene)
    return lambda: release(broker, caller, request_id)


def _revoke(arena: Arena, request_id: str) -> Move:
    broker, by = arena.brokers.broker("approvals"), approver(arena.scene, 0).arn
    return lambda: revoke(broker, request_id, by=by, reason="incident")


def _end(arena: Arena, request_id: str) -> Move:
    broker = arena.brokers.broker("expiry")
    return lambda: act(broker, request_id, early=True)


def _told(outcomes: list[Outcome]) -> None:
    """Whoever did not win was told so in the documented way."""
    assert [o.error for o in outcomes if o.error and not isinstance(o.error, _TOLD)] == []


def _winners(outcomes: list[Outcome]) -> list[Outcome]:
    _told(outcomes)
    return [outcome for outcome in outcomes if outcome.won]


def test_one_decision(arena: Arena) -> None:
    """Of many persons who decide on one request one is heard: its vote, status and event are stored."""
    request_id = arena.scene.pending()
    verdicts = [Verdict.APPROVE, Verdict.DENY] * (THREADS // 2)
    outcomes = arena.race([_vote(arena, request_id, number, v) for number, v in enumerate(verdicts)])
    (winner,) = _winners(outcomes)
    stored = arena.scene.request(request_id)
    assert winner.result == stored
    assert len(stored.decisions) == 1
    assert arena.scene.trail(request_id) == ["submitted", str(stored.status)]
    arena.check()


def test_every_vote_counts(arena: Arena) -> None:
    """With a quorum of eight eight votes approve, and each of them is kept."""
    assert arena.scene.limit(quorum=8).status == 200
    request_id = arena.scene.pending()
    outcomes = arena.race([_vote(arena, request_id, number) for number in range(THREADS)])
    stored = arena.scene.request(request_id)
    won = len(_winners(outcomes))
    assert won == len(stored.decisions) <= 8
    assert len({vote.person for vote in stored.decisions}) == won
    # Who was told to try again does so, one after the other.
    for number in range(THREADS, THREADS + 8 - won):
        _vote(arena, request_id, number)()
    assert arena.scene.status(request_id) == Status.APPROVED
    assert Counter(arena.scene.trail(request_id)) == {"submitted": 1, "voted": 7, "approved": 1}
    arena.check()


def test_one_grant(arena: Arena) -> None:
    """Of many who take one request up at once nobody makes a second grant."""
    request_id = arena.scene.approved()
    outcomes = _winners(arena.race([_take_up(arena, request_id)] * THREADS))
    stored = arena.scene.request(request_id)
    assert stored.status == Status.ACTIVE
    assert [grant["GrantId"] for grant in arena.scene.grants()] == [stored.grant_id]
    assert {_request(outcome).grant_id for outcome in outcomes} == {stored.grant_id}
    assert arena.scene.trail(request_id) == ["submitted", "approved", "issuing", "active"]
    arena.check()
    arena.settle()


def _request(outcome: Outcome) -> GrantRequest:
    assert isinstance(outcome.result, tuple)
    request: GrantRequest = outcome.result[0]
    return request


def test_taken_up_or_withdrawn(arena: Arena) -> None:
    """A request that is withdrawn while it is taken up ends as one of both, and only then holds a grant."""
    request_id = arena.scene.approved()
    moves = [_take_up(arena, request_id), _withdraw(arena, request_id)] * (THREADS // 2)
    outcomes = arena.race(moves)
    _told(outcomes)
    status = arena.scene.status(request_id)
    assert status in {Status.ACTIVE, Status.WITHDRAWN}
    assert len(arena.scene.grants()) == (1 if status == Status.ACTIVE else 0)
    assert sum(outcome.won for outcome in outcomes[1::2]) == (1 if status == Status.WITHDRAWN else 0)
    arena.check()
    arena.settle()


def test_taken_up_or_revoked(arena: Arena) -> None:
    """What is revoked while it is taken up never stays: it has no grant, or one that ends now."""
    request_id = arena.scene.approved()
    outcomes = arena.race([_take_up(arena, request_id), _revoke(arena, request_id)] * (THREADS // 2))
    _told(outcomes)
    if any(outcome.won for outcome in outcomes[1::2]):
        assert arena.scene.status(request_id) in {Status.REVOKED, Status.ENDING}
    arena.check()
    arena.scene.expire()
    assert arena.scene.grants() == []
    arena.settle()


def test_released_revoked_and_ended(arena: Arena) -> None:
    """A grant that its holder, the security team and the schedule end at once ends once."""
    request_id = arena.scene.active()
    ways = [_release(arena, request_id), _revoke(arena, request_id), _end(arena, request_id)]
    outcomes = arena.race((ways * THREADS)[:THREADS])
    # Whoever ends the grant second finds it gone, which is for the agenda to confirm.
    assert [o.error for o in outcomes if o.error and not isinstance(o.error, (*_TOLD, KmsRefused))] == []
    arena.scene.expire()
    assert arena.scene.status(request_id) in {Status.RELEASED, Status.REVOKED}
    assert arena.scene.grants() == []
    events = Counter(arena.scene.trail(request_id))
    assert events["ending"] == 1
    assert events["released"] + events["revoked"] == 1
    arena.settle()


def test_approval_withdrawn(arena: Arena) -> None:
    """A standing approval that is withdrawn meanwhile covers nothing that was not stored before it."""
    made = arena.scene.approve_ahead()
    assert made.status == 201
    security, requests = arena.brokers.broker("approvals"), arena.brokers.broker("requests")
    caller, approved = partner(arena.scene), made.body["id"]
    body = Submission.model_validate(arena.scene.submission())

    def withdrawn() -> None:
        standing_approvals.withdraw(security, approver(arena.scene, 1), approved, revoke_active=True)

    def submitted() -> object:
        return submit(requests, caller, body, _ONCE)

    outcomes = arena.race([submitted, submitted, submitted, withdrawn] * (THREADS // 4))
    _told(outcomes)
    late = submit(requests, caller, body, _ONCE)
    assert late.status == Status.PENDING
    withdrawn()
    arena.scene.expire()
    assert arena.scene.grants() == []
    arena.check()
    arena.settle()


def test_one_submission(arena: Arena) -> None:
    """Repeats of one submission under one idempotency key are one request, with one event."""
    broker, caller = arena.brokers.broker("requests"), partner(arena.scene)
    body = Submission.model_validate(arena.scene.submission())
    outcomes = arena.race([lambda: submit(broker, caller, body, Idempotency("once", "digest"))] * THREADS)
    won = _winners(outcomes)
    assert len({getattr(outcome.result, "id", None) for outcome in won}) == 1
    assert len([item for item in arena.scene.stored() if item["sk"]["S"] == "request"]) == 1
    arena.check()


@pytest.mark.parametrize("seed", range(4))
def test_everything_at_once(arena: Arena, seed: int) -> None:
    """Deciding, taking up, releasing, revoking, withdrawing the same few requests: each invariant holds."""
    chosen = random.Random(seed)  # noqa: S311 - which thread does what
    scene = arena.scene
    ids = [
        scene.pending(),
        scene.pending(),
        scene.approved(),
        scene.approved(),
        scene.active(),
        scene.active(),
    ]
    before = {request_id: len(scene.trail(request_id)) for request_id in ids}
    kinds = (_take_up, _withdraw, _release, _revoke, _end)
    moves: list[Move] = []
    for number in range(THREADS):
        request_id, kind = chosen.choice(ids), chosen.choice((*kinds, None))
        verdict = chosen.choice([Verdict.APPROVE, Verdict.DENY])
        vote = _vote(arena, request_id, number, verdict)
        moves.append(kind(arena, request_id) if kind else vote)
    outcomes = arena.race(moves)
    allowed = (*_TOLD, KmsRefused, NotPermitted)
    assert [
        outcome.error for outcome in outcomes if outcome.error and not isinstance(outcome.error, allowed)
    ] == []
    arena.check()
    for request_id in ids:
        stored = scene.request(request_id)
        # Each transition wrote its event with it: as many as the record counts, none twice.
        assert len(scene.trail(request_id)) == stored.events >= before[request_id]
    arena.settle()
    assert all(scene.status(request_id).final for request_id in ids)
