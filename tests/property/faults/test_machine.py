"""The broker under every fault that we could think of."""

import time

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.hostile import Intrusions
from tests.simulation.injection import Kind
from tests.simulation.machine import STEPS
from tests.simulation.oversight import Oversight
from tests.simulation.world import World
from tests.support.reports import Report


@pytest.fixture
def scope() -> settings:
    """More than 200 examples of 50 steps, since Hypothesis makes some shorter; in a soak twice as many."""
    soaks = settings.get_current_profile_name() == "soak"
    # Shrinking a failure takes minutes: only a soak has them.
    phases = tuple(Phase) if soaks else (Phase.explicit, Phase.reuse, Phase.generate)
    return settings(max_examples=500 if soaks else 300, stateful_step_count=50, phases=phases)


def test_every_invariant_holds_whatever_fails(world: World, scope: settings, report: Report) -> None:
    """Whatever people do and AWS fails at, nothing is lost and nothing outlives its time."""
    STEPS.clear()
    world.injector.counts.clear()
    Oversight.world, began = world, time.perf_counter()
    run_state_machine_as_test(Oversight, settings=scope)
    took, faults = int(time.perf_counter() - began), world.injector.counts
    counts = {**STEPS, "seconds": took, **dict(faults.most_common())}
    report.append(("faults injected", [f"{count:>8}  {name}" for name, count in counts.items()]))
    assert STEPS["examples of 50 steps or more"] >= 200
    assert STEPS["steps"] >= (20_000 if scope.max_examples > 300 else 10_000)
    assert set(Kind) <= set(faults), "a kind of fault was never injected"


def test_no_intruder_keeps_a_grant_alive(world: World, scope: settings, report: Report) -> None:
    """Strangers, and functions that were taken over, hold up no end and end nothing of others."""
    STEPS.clear()
    Intrusions.world, began = world, time.perf_counter()
    few = settings(scope, max_examples=scope.max_examples // 9)
    run_state_machine_as_test(Intrusions, settings=few)
    counts = {**STEPS, "seconds": int(time.perf_counter() - began)}
    report.append(("intrusions", [f"{count:>8}  {name}" for name, count in counts.items()]))
    assert STEPS["steps"] >= 1_000
