"""Many ends on the agenda, written past the broker: what a crowd of grants leaves there, or a forger."""

from datetime import datetime

from grant_broker.aws.attributes import serialized
from tests.support.scene import InProcessStack


def crowd(scene: InProcessStack, when: datetime, count: int, *, name: str = "e", shards: int = 1) -> None:
    """So many ends that fall due in one second, in turn in each shard; no grants."""
    due = int(when.timestamp())
    items = [
        {
            "pk": f"request#{name}{due}-{number}", "sk": "request", "agenda": f"ends#{number % shards}",
            "due": due, "action": "end", "grant_id": f"{name}{due}-{number}", "key_arn": scene.key_arn,
        }
        for number in range(count)
    ]  # fmt: skip
    scene.fill(scene.deployment.request_table, [serialized(item) for item in items])
