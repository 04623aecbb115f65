"""Faults of single calls that need the world: stale and partial reads, effects minutes late, races."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError

from tests.local_stack.cloud import AwsCall
from tests.property.faults.injection import Fault, Kind
from tests.property.faults.ledger import request_of
from tests.property.faults.races import RACERS

if TYPE_CHECKING:
    from tests.property.faults.world import World

Special = Callable[[AwsCall, Callable[[], Any], Fault], Any]


def specials(world: "World") -> dict[Kind, Special]:
    """What becomes of a call, by kind of fault."""
    return {
        Kind.STALE_READ: partial(_stale, world),
        Kind.PARTIAL_BATCH: partial(_partial, world),
        Kind.ZOMBIE: partial(_late, world),
        Kind.RACED: partial(_raced, world),
    }


def _stale(world: "World", call: AwsCall, _run: Any, fault: Fault) -> Any:
    earlier = world.history[fault.racer % len(world.history)]
    return world.database.query(call.parameters, earlier[call.parameters["TableName"]])


def _partial(world: "World", call: AwsCall, _run: Any, _fault: Fault) -> Any:
    [(table, asked)] = call.parameters["RequestItems"].items()
    half = len(asked["Keys"]) // 2
    first, left = ({**asked, "Keys": keys} for keys in (asked["Keys"][:half], asked["Keys"][half:]))
    answer = world.database.handle("BatchGetItem", {"RequestItems": {table: first}}, call.principal)
    return {**answer, "UnprocessedKeys": {table: left}}


def _late(world: "World", call: AwsCall, run: Callable[[], Any], fault: Fault) -> Any:
    world.ledger.doubled.add(request_of(call.parameters["Name"]))
    world.zombies.append((world.now + timedelta(seconds=60 + fault.racer * 60), run))
    raise ReadTimeoutError(endpoint_url="kms")


def _raced(world: "World", call: AwsCall, run: Callable[[], Any], fault: Fault) -> Any:
    race = RACERS[fault.racer % len(RACERS)]
    with world.injector.under(()):
        race(world, call.parameters)
    return run()
