"""Looks that keys, standing approvals and accounts owe: how these grow old, and who signed one off."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from grant_broker.domain.times import format_time
from tests.simulation import oracle
from tests.simulation.oracle import Plain, plain

if TYPE_CHECKING:
    from tests.simulation.world import World

KINDS = ("key", "approval", "account")
_TIMES = ("reviewed_at", "review_due", "unreviewed_after")
_BY_WHOM = ("key_registered", "key_changed", "approval_made", "account_registered", "account_changed")


def owing(world: "World", kind: str) -> list[str]:
    """The partitions of what owes looks of a kind, whether one is due or not."""
    table = world.database.tables[world.deployment.approval_table].items
    return sorted(pk for (pk, sort), item in table.items() if sort == kind and "review_due" in item)


def review_of(subject: str) -> str:
    """Where a look at something is signed off."""
    kind, _, name = subject.partition("#")
    return f"/security/reviews/{kind}/{name.rpartition('/')[2]}"


def grow_old(world: "World", subject: str, seconds: float) -> bool:
    """Move the times of what owes a look back, so that its grace is over in so many seconds.

    False where it is over by then anyway. A second at least: what was made until now was covered.
    """
    table, key = world.database.tables[world.deployment.approval_table], (subject, subject.partition("#")[0])
    item = table.items[key]
    over = oracle.time(plain(item)["unreviewed_after"])
    by = over - world.now - timedelta(seconds=seconds)
    if by <= timedelta():
        return False
    moved = {name: {"S": format_time(oracle.time(item[name]["S"]) - by)} for name in _TIMES}
    table.put(key, {**item, **moved})
    return True


def find_unseen(things: Iterable[Plain], at: float) -> str | None:
    """Which of these nobody has looked at for so long that nothing is covered at a moment, or None."""
    for thing in things:
        holds = thing and "withdrawn_at" not in thing and "review_due" in thing
        if holds and oracle.time(thing["unreviewed_after"]).timestamp() < at:
            return str(thing["pk"])
    return None


def is_by_its_maker(trail: Iterable[Plain]) -> bool:
    """Whether the look that a trail ends with was taken by who made, or changed last, what it is about."""
    *before, look = trail
    makers = [event["by"] for event in before if event["type"] in _BY_WHOM]
    return bool(makers) and oracle.person(makers[-1]) == oracle.person(look["by"])
