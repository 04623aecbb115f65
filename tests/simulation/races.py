"""Who may come in between two calls: another process, on the very request that is being worked on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.world import World

Race = Callable[["World", dict[str, Any]], Any]


def subject(world: "World", parameters: dict[str, Any]) -> str:
    """The request that a call is about, else the newest."""
    for entry in parameters.get("TransactItems", ()):
        ((_, given),) = entry.items()
        if (of := str((given.get("Key") or given["Item"])["pk"]["S"])).startswith("request#"):
            return of.removeprefix("request#")
    pk = str(parameters.get("Key", {}).get("pk", {}).get("S", "")) or _named(parameters)
    if pk.startswith(("request#", "grant-broker#")):
        return pk.split("#")[1]
    return (world.requests() or ["0" * 32])[-1]


def _named(parameters: dict[str, Any]) -> str:
    return str(parameters.get("Name", "")).replace("/", "#")


def _vote(who: str, verdict: str) -> Race:
    def race(world: "World", parameters: dict[str, Any]) -> None:
        path = f"/security/requests/{subject(world, parameters)}/decision"
        world.call(who, "POST", path, {"verdict": verdict, "comment": "race"}, others=True)

    return race


def _third_party(method: str, path: str) -> Race:
    def race(world: "World", parameters: dict[str, Any]) -> None:
        request = subject(world, parameters)
        for who in ("partner", "other_partner"):
            world.call(who, method, path.format(request), others=True)

    return race


def _revoke(world: "World", parameters: dict[str, Any]) -> None:
    path = f"/security/requests/{subject(world, parameters)}/grant"
    world.call("bob", "DELETE", path, {"reason": "race"}, others=True)


def _withdraw_approvals(world: "World", _: dict[str, Any]) -> None:
    for approval in world.approvals():
        world.call("bob", "DELETE", f"/security/approvals/{approval}", others=True)


def close_key(world: "World", parameters: dict[str, Any]) -> None:
    """The security team closes the key to new grants."""
    record = world.ledger.record(subject(world, parameters))
    arn = record.get("key_arn", world.keys.arns["partner_data"])
    world.call("bob", "DELETE", f"/security/keys/{arn.rpartition('/')[2]}", others=True)


RACERS: tuple[Race, ...] = (
    _vote("alice", "approve"),
    _vote("bob", "deny"),
    _third_party("POST", "/requests/{}/grant"),
    _third_party("DELETE", "/requests/{}/grant"),
    _third_party("DELETE", "/requests/{}"),
    _revoke,
    _withdraw_approvals,
    close_key,
    lambda world, _: world.run_expiry(3, others=True),
    lambda world, _: world.run_reconcile(others=True),
)
