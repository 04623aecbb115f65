"""The faults themselves: each kind does something of its own to a call."""

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.local_aws.cloud import AwsCall
from tests.simulation.database import Refused
from tests.simulation.injection import ONLY_FOR, Answered, Died, Fault, Injector, Kind
from tests.simulation.world import World


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_fault_has_an_effect(world: World, kind: Kind) -> None:
    """A kind without one would raise KeyError in the broker, which takes it for a step that failed."""
    if kind in world.injector.special:
        return
    operation = min(ONLY_FOR.get(kind, {"PutItem"}))
    call = AwsCall(service="dynamodb", operation=operation, parameters={"Marker": "2"}, principal="")
    injector = Injector()
    with injector.under([Fault(kind)]), pytest.raises((Answered, Died, Refused, ReadTimeoutError)):
        injector.call(call, dict)
    assert injector.counts == {kind: 1}
