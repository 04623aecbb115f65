"""What a stack is counted to do in some hours agrees with what the command `cost` reckons with."""

import pytest

from tests.benchmarks.day import Day
from tests.benchmarks.simulated_day import SimulatedDay

CALL = 0.002  # seconds of a processor, as the command assumes
HOURS = 3


@pytest.mark.parametrize("grants", [0, 240])
def test_the_command_agrees_with_a_day(grants: int) -> None:
    """Lambda, DynamoDB and KMS cost by count what they are reckoned to, within a seventh."""
    seen = Day(grants, SimulatedDay(grants, HOURS * 3600).run(), CALL, days=HOURS / 24)
    for line, counted in seen.counted.lines.items():
        assert counted == pytest.approx(seen.reckoned.lines[line], rel=0.15), line
    made = seen.invoiced.get("covered request")
    assert (made.invocations if made else 0) == grants * HOURS / 24
