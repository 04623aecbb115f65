"""The schedules as the template has them: expiry every minute, reconcile every five, the stream between."""

from collections.abc import Sequence

from tests.simulation.injection import Fault
from tests.simulation.world import World


def tick(world: World, minutes: int, *, plan: Sequence[Fault] = (), expiry: bool = True) -> None:
    """So many minutes, each run suffering the same faults; without expiry where it does not run."""
    for _ in range(minutes):
        start = world.now
        if int(start.timestamp()) // 60 % 5 == 0:
            world.run_reconcile(plan=plan)
        if expiry:
            world.streams.deliver("expiry", plan=plan)
            world.run_expiry(60, plan=plan)
        world.streams.deliver("events")
        world.advance(max(0.0, 60 - (world.now - start).total_seconds()))
