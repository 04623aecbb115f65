"""Hundreds at once, where every page, rate and batch is too small for them."""

from datetime import timedelta

import pytest

from grant_broker.domain.place import EndsPlace
from tests.simulation import checks
from tests.simulation.acts import Acts
from tests.simulation.injection import Fault, Kind
from tests.simulation.ledger import expiry_of
from tests.simulation.machine import CROWD
from tests.simulation.oracle import ON_TIME, RATE, TOO_MANY
from tests.simulation.world import PARTNER, World

_GRANTS, _WAITING = 120, 60


@pytest.fixture
def crowded(world: World) -> World:
    """120 grants that all end in one second, and 60 requests that lapse in the next."""
    acts = Acts(world)
    acts.approve_ahead("alice", "partner_data", PARTNER, lasts=7200)
    for _ in range(_WAITING):
        acts.submit("other_partner", "second_data", CROWD)
    world.advance(3300 - 1)
    # As where the agenda is not believed: else no more would be granted than can end on time.
    world.processes.broker("reconcile").store.commit(EndsPlace().not_believed(world.now))
    for number in range(_GRANTS):
        acts.submit("partner", "partner_data", CROWD, app=number)
    return world


def _ended(world: World) -> list[float]:
    """How late each end was, in seconds."""
    return sorted((at - expiry_of(name)).total_seconds() for name, at in world.ledger.ended)


@pytest.mark.parametrize(
    "plan",
    [[], [Fault(Kind.NEXT_PAGE)]],
    ids=["nothing fails", "a page is throttled"],
)
def test_a_crowd_ends_at_the_rate(crowded: World, plan: list[Fault]) -> None:
    """No end is later than the rate makes it, whatever else is due, and none is above the rate."""
    crowded.advance(299)
    crowded.run_reconcile(plan=plan)
    for _ in range(3):
        crowded.run_expiry(60, plan=plan)
    late = _ended(crowded)
    assert len(late) == _GRANTS
    assert late[-1] <= _GRANTS / RATE + 2
    assert [len([at for at in late if second <= at < second + 1]) for second in range(5)] == [RATE] * 5
    assert checks.at_once(crowded.ledger) == []


def test_no_more_are_granted_than_end_on_time(world: World) -> None:
    """Of a crowd that asks at once as many are granted as can end within five seconds, and they do."""
    acts = Acts(world)
    acts.approve_ahead("alice", "partner_data", PARTNER, lasts=7200)
    made = [acts.submit("partner", "partner_data", CROWD, app=number) for number in range(_GRANTS)]
    granted = [request for request in made if request]
    assert len(granted) == TOO_MANY - 2
    assert world.requests("active") == granted
    world.advance(290)
    world.run_expiry(60)
    late = _ended(world)
    assert len(late) == len(granted)
    assert late[-1] <= ON_TIME + 1
    assert checks.settle(world) == []


def test_reconcile_goes_through_a_crowd(crowded: World) -> None:
    """With the request table lost, each grant gets its record back although the runs end in between."""
    crowded.restore(None)
    for _ in range(20):
        crowded.run_reconcile(calls=60)
        crowded.advance(1)
    assert checks.unaccounted(crowded.ledger) == []
    assert len(crowded.ledger.own()) == _GRANTS
    assert crowded.now < expiry_of(crowded.ledger.own()[0]["Name"]) - timedelta(seconds=60)
