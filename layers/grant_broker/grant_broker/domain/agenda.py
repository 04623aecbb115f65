"""The parts of the agenda, and which of its partitions an entry is in."""

from enum import StrEnum
from zlib import crc32

from grant_broker.domain.lifecycle import Action


class Part(StrEnum):
    """A part of the agenda. Ends have one of their own, so that nothing else hides them or holds them up."""

    ENDS = "ends"
    REST = "rest"


def agenda_partition(action: object, record_id: str, shards: int) -> str:
    """The partition of the agenda that a request's entry is in: its part, and the shard of its id."""
    part = Part.ENDS if action == Action.END else Part.REST
    return f"{part}#{crc32(record_id.encode()) % shards}"
