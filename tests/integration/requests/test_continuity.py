"""`max_continuous` through the handlers: how long a standing approval keeps one grantee going."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.domain.times import from_epoch
from grant_broker.expiry.steps import act
from tests.local_aws.cloud import Cloud
from tests.local_stack.brokers import Answer, Brokers
from tests.local_stack.deployment import Deployment
from tests.support.limits import limits

START = datetime(2030, 1, 1, tzinfo=UTC)
SCOPE = {"operations": ["Encrypt"], "encryption_context": {"a": "b"}}


class World:
    """A deployment whose key may be held for three hours on end; a standing approval allows two at a time."""

    def __init__(self) -> None:
        self.now = START
        self.deployment = Deployment.create(Cloud(lambda: self.now))
        self.brokers = Brokers(self.deployment, lambda: self.now, lambda _seconds: None)
        key = self.deployment.keys["partner_data"].rpartition("/")[2]
        document = limits(accounts=["444455556666"], max_duration="PT2H", max_continuous="PT3H")
        assert self.call("alice", "PUT", f"/security/keys/{key}", document).status == 201
        approval = {
            **SCOPE, "key": "partner_data", "account": "444455556666", "context_match": "subset",
            "max_duration": "PT2H", "valid_until": "2030-02-01T00:00:00Z", "reason": "nightly loads",
        }  # fmt: skip
        assert self.call("alice", "POST", "/security/approvals", approval).status == 201

    def call(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One call."""
        return self.brokers.call(self.deployment.people[who].credentials, method, path, body, **more)

    def submit(
        self, duration: str, *, who: str = "partner", grantee: str | None = None, status: int = 201,
        query: dict[str, str] | None = None, **more: Any,
    ) -> Answer:  # fmt: skip
        """Submit what the standing approval covers."""
        named = grantee or self.deployment.people[who].grantee
        body = {**SCOPE, "key": "partner_data", "grantee": named, "duration": duration, "reason": "x", **more}
        answer = self.call(who, "POST", "/requests", body, query=query)
        assert answer.status == status, answer.body
        return answer

    def later(self, **time: float) -> None:
        """Let time pass; what falls due meanwhile ends on time."""
        expiry, then = self.brokers.broker("expiry"), self.now + timedelta(**time)
        while request := next(iter(expiry.store.agenda.list_due(int(then.timestamp()))), None):
            self.now = max(self.now, from_epoch(request.due or 0))
            assert request.id is not None
            assert act(expiry, request.id)
        self.now = then


@pytest.fixture
def world() -> Iterator[World]:
    """The world; moto is empty afterwards."""
    yield World()
    moto_api_backend.reset()


def test_people_must_vote_beyond_it(world: World) -> None:
    """Within three hours on end the approval covers; beyond them people decide, and may grant it."""
    assert world.submit("PT2H").body["status"] == "active"
    world.later(hours=1, minutes=30)
    assert world.submit("PT1H").body["status"] == "active"
    waiting = world.submit("PT2H").body
    assert (waiting["status"], waiting["approval"], waiting["grant"]) == ("pending", None, None)
    trail = world.call("alice", "GET", f"/security/requests/{waiting['id']}").body["trail"]
    reason = "held for PT3H30M without a break; standing approvals cover PT3H"
    assert trail[0]["detail"]["waits"] == reason
    foreseen = world.submit("PT2H", status=200, query={"dry_run": "true"}).body
    assert foreseen == {"outcome": "wait_for_approval", "reasons": [f"{reason}: one person must approve"]}
    decision = world.call(
        "alice", "POST", f"/security/requests/{waiting['id']}/decision", {"verdict": "approve"}
    )
    assert decision.status == 200
    assert world.call("partner", "POST", f"/requests/{waiting['id']}/grant").body["status"] == "active"


def test_a_break_starts_anew(world: World) -> None:
    """After a break of a minute the approval covers again; after a shorter one it does not."""
    assert world.submit("PT2H").body["status"] == "active"
    world.later(hours=1, minutes=45)
    assert world.submit("PT1H").body["status"] == "active"
    world.later(hours=1, seconds=59)
    assert world.submit("PT1H").body["status"] == "pending"
    world.later(seconds=1)
    assert world.submit("PT2H").body["status"] == "active"


def test_giving_back_is_no_way_around(world: World) -> None:
    """Who gives a grant back and asks anew at once holds on; another session's name changes nothing."""
    first = world.submit("PT2H").body
    world.later(hours=1, minutes=59)
    assert world.call("partner", "DELETE", f"/requests/{first['id']}/grant").status == 202
    world.later(seconds=2)
    role = str(world.deployment.people["partner"].grantee).rpartition("/")[2]
    session = f"arn:aws:sts::444455556666:assumed-role/{role}/another"
    assert world.submit("PT2H", grantee=session).body["status"] == "pending"
    assert world.submit("PT1H").body["status"] == "active"


def test_others_do_not_count(world: World) -> None:
    """Another grantee's holding and another context's count for nobody else."""
    assert world.submit("PT2H").body["status"] == "active"
    world.later(hours=1, minutes=30)
    assert world.submit("PT2H", who="partner_colleague").body["status"] == "active"
    other = world.submit("PT2H", encryption_context={"a": "b", "day": "2"})
    assert other.body["status"] == "active"
    assert world.submit("PT2H", context_match="subset").body["status"] == "pending"


def test_it_holds_when_taken_up(world: World) -> None:
    """What was covered for a later start is looked at again when it is taken up."""
    later = world.submit("PT2H", starts_at="2030-01-01T06:00:00Z").body
    assert later["status"] == "approved"
    world.later(hours=4, minutes=30)
    assert world.submit("PT2H").body["status"] == "active"
    world.later(hours=1, minutes=30)
    refused = world.call("partner", "POST", f"/requests/{later['id']}/grant")
    assert (refused.status, refused.body["code"]) == (409, "conflict")
    assert "the request is approved" in refused.body["detail"]
    assert "held for PT3H30M without a break" in refused.body["detail"]
    world.later(hours=1)
    assert world.call("partner", "POST", f"/requests/{later['id']}/grant").status == 201
