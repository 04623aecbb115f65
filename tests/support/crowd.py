"""Many ends on the agenda, written past the broker: what a crowd of grants leaves there, or a forger."""

from datetime import datetime
from typing import Any

from grant_broker.aws.attributes import serialized
from tests.support.scene import InProcessStack


def ends_due(due: int, count: int, *, key_arn: str, name: str = "e", shards: int = 1) -> list[dict[str, Any]]:
    """So many items that fall due in one epoch second, in turn in each shard; behind them is no grant."""
    return [
        serialized(
            {
                "pk": f"request#{name}{due}-{number}",
                "sk": "request",
                "agenda": f"ends#{number % shards}",
                "due": due,
                "action": "end",
                "grant_id": f"{name}{due}-{number}",
                "key_arn": key_arn,
            }
        )
        for number in range(count)
    ]


def crowd(scene: InProcessStack, when: datetime, count: int, *, name: str = "e", shards: int = 1) -> None:
    """Put so many ends into one second."""
    items = ends_due(int(when.timestamp()), count, key_arn=scene.key_arn, name=name, shards=shards)
    scene.fill(scene.deployment.request_table, items)
