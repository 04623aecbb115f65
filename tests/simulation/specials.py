"""Faults of single calls that need the world: stale and partial reads, effects minutes late, races."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError

from tests.local_aws.answers import ok
from tests.local_aws.cloud import AwsCall
from tests.simulation.injection import Fault, Kind
from tests.simulation.ledger import request_of
from tests.simulation.races import RACERS

if TYPE_CHECKING:
    from tests.simulation.world import World

Special = Callable[[AwsCall, Callable[[], Any], Fault], Any]


def specials(world: "World") -> dict[Kind, Special]:
    """What becomes of a call, by kind of fault."""
    return {
        Kind.STALE_READ: partial(_stale, world),
        Kind.PARTIAL_BATCH: partial(_partial, world),
        Kind.ZOMBIE: partial(_late, world),
        Kind.RACED: partial(_raced, world),
        Kind.STALE_LISTING: partial(_listed_stale, world),
        Kind.ENTRIES: partial(_entries_refused, world),
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


def _entries_refused(world: "World", call: AwsCall, _run: Any, _fault: Fault) -> Any:
    """Every other entry is taken."""
    return world.bus.take(call.operation, call.parameters["Entries"], refused=slice(1, None, 2))


def _late(world: "World", call: AwsCall, run: Callable[[], Any], fault: Fault) -> Any:
    if call.parameters.get("DryRun"):
        return run()
    world.ledger.doubled.add(request_of(call.parameters["Name"]))
    world.zombies.append((world.now + timedelta(seconds=60 + fault.racer * 60), run))
    raise ReadTimeoutError(endpoint_url="kms")


def _raced(world: "World", call: AwsCall, run: Callable[[], Any], fault: Fault) -> Any:
    race = RACERS[fault.racer % len(RACERS)]
    with world.injector.under(()):
        race(world, call.parameters)
    return run()


def _listed_stale(world: "World", call: AwsCall, _run: Any, _fault: Fault) -> Any:
    """What KMS showed some steps ago, at most two minutes: it forgets and learns of grants with delay."""
    limit = world.now - timedelta(minutes=2)
    earlier = next((grants for at, grants in world.listed if at >= limit), world.ledger.live())
    wanted = {
        name: call.parameters[name]
        for name in ("KeyId", "GrantId", "GranteePrincipal", "RetiringPrincipal") if name in call.parameters
    }  # fmt: skip
    found = [grant for grant in earlier if all(grant.get(name) == value for name, value in wanted.items())]
    return ok({"Grants": found, "Truncated": False})
