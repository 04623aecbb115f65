"""`max_continuous` through the handlers: how long a standing approval keeps one grantee going."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.times import from_epoch
from grant_broker.expiry.steps import act
from tests.local_stack.brokers import Answer
from tests.support.scene import InProcessStack


@pytest.fixture
def scene(unregistered: InProcessStack) -> InProcessStack:
    """The key may be held for three hours on end; a standing approval allows two at a time."""
    assert unregistered.limit(max_duration="PT2H", max_continuous="PT3H").status == 201
    ahead = {"context_match": "subset", "max_duration": "PT2H", "valid_until": "2030-02-01T00:00:00Z"}
    assert unregistered.approve_ahead(**ahead).status == 201
    return unregistered


def submit(
    scene: InProcessStack, duration: str, *, who: str = "partner", dry_run: bool = False, **changes: Any
) -> Answer:
    """Submit what the standing approval covers, by default for the caller's own role."""
    body = scene.submission(**{"grantee": scene.grantee(who), **changes, "duration": duration})
    query = {"dry_run": "true"} if dry_run else None
    answer = scene.call(who, "POST", "/requests", body, query=query)
    assert answer.status == (200 if dry_run else 201), answer.body
    return answer


def later(scene: InProcessStack, **time: float) -> None:
    """Let time pass; what falls due meanwhile ends on time."""
    expiry, then = scene.brokers.broker("expiry"), scene.clock.now + timedelta(**time)
    while request := min(scene.due(by=then), key=lambda entry: entry.due, default=None):
        scene.clock.now = max(scene.clock.now, from_epoch(request.due or 0))
        assert request.id is not None
        assert act(expiry, request.id)
    scene.clock.now = then


def test_people_must_vote_beyond_it(scene: InProcessStack) -> None:
    """Within three hours on end the approval covers; beyond them people decide, and may grant it."""
    assert submit(scene, "PT2H").body["status"] == "active"
    later(scene, hours=1, minutes=30)
    assert submit(scene, "PT1H").body["status"] == "active"
    waiting = submit(scene, "PT2H").body
    assert (waiting["status"], waiting["approval"], waiting["grant"]) == ("pending", None, None)
    trail = scene.call("alice", "GET", f"/security/requests/{waiting['id']}").body["trail"]
    reason = "held for PT3H30M without a break; standing approvals cover PT3H"
    assert trail[0]["detail"]["waits"] == reason
    forecast = submit(scene, "PT2H", dry_run=True).body
    assert forecast == {"outcome": "wait_for_approval", "reasons": [f"{reason}: one person must approve"]}
    decision = scene.call(
        "alice", "POST", f"/security/requests/{waiting['id']}/decision", {"verdict": "approve"}
    )
    assert decision.status == 200
    assert scene.call("partner", "POST", f"/requests/{waiting['id']}/grant").body["status"] == "active"


def test_a_break_starts_anew(scene: InProcessStack) -> None:
    """After a break of a minute the approval covers again; after a shorter one it does not."""
    assert submit(scene, "PT2H").body["status"] == "active"
    later(scene, hours=1, minutes=45)
    assert submit(scene, "PT1H").body["status"] == "active"
    later(scene, hours=1, seconds=59)
    assert submit(scene, "PT1H").body["status"] == "pending"
    later(scene, seconds=1)
    assert submit(scene, "PT2H").body["status"] == "active"


def test_giving_back_is_no_way_around(scene: InProcessStack) -> None:
    """Who gives a grant back and asks anew at once holds on; another session's name changes nothing."""
    first = submit(scene, "PT2H").body
    later(scene, hours=1, minutes=59)
    assert scene.call("partner", "DELETE", f"/requests/{first['id']}/grant").status == 202
    later(scene, seconds=2)
    role = scene.grantee("partner").rpartition("/")[2]
    session = f"arn:aws:sts::444455556666:assumed-role/{role}/another"
    assert submit(scene, "PT2H", grantee=session).body["status"] == "pending"
    assert submit(scene, "PT1H").body["status"] == "active"


def test_others_do_not_count(scene: InProcessStack) -> None:
    """Another grantee's holding and another context's count for nobody else."""
    assert submit(scene, "PT2H").body["status"] == "active"
    later(scene, hours=1, minutes=30)
    assert submit(scene, "PT2H", who="partner_colleague").body["status"] == "active"
    other = submit(scene, "PT2H", encryption_context={"tenant": "a", "day": "2"})
    assert other.body["status"] == "active"
    assert submit(scene, "PT2H", context_match="subset").body["status"] == "pending"


def test_it_holds_when_taken_up(scene: InProcessStack) -> None:
    """What was covered for a later start is looked at again when it is taken up."""
    asked = submit(scene, "PT2H", starts_at="2030-01-01T06:00:00Z").body
    assert asked["status"] == "approved"
    later(scene, hours=4, minutes=30)
    assert submit(scene, "PT2H").body["status"] == "active"
    later(scene, hours=1, minutes=30)
    refused = scene.call("partner", "POST", f"/requests/{asked['id']}/grant")
    assert (refused.status, refused.body["code"]) == (409, "conflict")
    assert "the request is approved" in refused.body["detail"]
    assert "held for PT3H30M without a break" in refused.body["detail"]
    later(scene, hours=1)
    assert scene.call("partner", "POST", f"/requests/{asked['id']}/grant").status == 201
