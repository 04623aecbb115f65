"""Each use case killed after its 1st, 2nd, … nth AWS call: the schedule alone brings all to its end."""

import pytest

from tests.simulation import checks
from tests.simulation.cases import CASES, Case
from tests.simulation.injection import Fault, Kind
from tests.simulation.one_request import OneRequest
from tests.simulation.oversight_cases import OVERSIGHT_CASES
from tests.simulation.world import World
from tests.support.reports import Report

TITLE = "crash sweep: use case, n:what became of its request when it was killed after its nth AWS call"


@pytest.mark.parametrize("case", [*CASES, *OVERSIGHT_CASES], ids=lambda case: case.name)
def test_recovers_from_a_crash_after_any_call(world: World, case: Case, report: Report) -> None:
    """Whenever the process dies, no grant outlives its time, and every request comes to a right end."""
    states = [_killed_after(world, case, call) for call in range(_calls(world, case))]
    assert states
    shown = " ".join(f"{place}:{state}" for place, state in enumerate(states, start=1))
    report.append((TITLE, [f"{case.name:34} {shown}"]))


def _calls(world: World, case: Case) -> int:
    """How many AWS calls the use case makes where nothing fails; it comes to its end, too."""
    one = _prepared(world, case)
    before = world.injector.total
    case.act(one, ())
    made = world.injector.total - before
    assert checks.settle(world) == []
    return made


def _killed_after(world: World, case: Case, call: int) -> str:
    one = _prepared(world, case)
    before = world.injector.counts[Kind.DIED_AFTER]
    case.act(one, [Fault(Kind.DIED_AFTER, after=call)])
    assert world.injector.counts[Kind.DIED_AFTER] == before + 1
    assert checks.settle(world) == []
    ends = {world.ledger.record(name)["status"] for name in world.requests()}
    assert ends <= case.ends
    return "+".join(sorted(ends)) or "none"


def _prepared(world: World, case: Case) -> OneRequest:
    world.reset()
    one = OneRequest(world)
    case.prepare(one)
    return one
