"""One record that nobody can use stops neither function: every attribute, with values of every type."""

from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest
from grant_broker.reconcile.run import reconcile
from tests.support.scene import InProcessStack

# What DynamoDB stores, and the far ends of it. None: the attribute is not there.
_VALUES: list[dict[str, Any] | None] = [
    {"N": "10000000000000"},
    {"N": "-1"},
    {"S": "9999-12-31T23:59:59Z"},
    {"S": "unheard-of"},
    {"L": [{"M": {}}]},
    {"BOOL": True},
    None,
]
# An index takes no item whose key attribute is of another type.
_KEYS = {"status": "S", "account": "S", "due": "N"}


def _fits(attribute: str, value: dict[str, Any] | None) -> bool:
    return value is None or attribute not in _KEYS or _KEYS[attribute] in value


@pytest.mark.parametrize("attribute", sorted(GrantRequest.model_fields))
def test_no_record_stops_the_others(scene: InProcessStack, attribute: str) -> None:
    """Beside it all other grants end in their second, and reconcile goes through, with its metrics."""
    for value in (value for value in _VALUES if _fits(attribute, value)):
        poisoned = scene.active(duration="PT10S")
        item = {name: part for name, part in scene.item(poisoned).items() if name != attribute}
        scene.put(scene.deployment.request_table, item | ({attribute: value} if value else {}))
    good = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    scene.expire(1)
    assert scene.status(good) == Status.EXPIRED
    scene.clock.sleep(1)
    report = reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    assert report.failed == 0
    assert scene.measured("DriftFound")


def _beside(scene: InProcessStack, request_id: str, place: int, **changes: Any) -> dict[str, Any]:
    """A copy of a stored record under an id of its own, due before everything else."""
    name = f"{place:032x}"
    item = {**scene.item(request_id), "pk": {"S": f"request#{name}"}, "due": {"N": "1"}} | changes
    return {key: value for key, value in item.items() if value is not None}


@pytest.mark.parametrize(
    "changes",
    [
        {},  # its content belongs to another partition: a write would go there
        {"id": {"S": f"{0:032x}"}, "action": None},
        {"id": {"S": f"{0:032x}"}, "status": {"S": "ending"}, "end_as": {"S": "lapsed"}},
    ],
)
def test_what_cannot_be_done_is_put_off(scene: InProcessStack, changes: dict[str, Any]) -> None:
    """Entries that nobody can act on use up no rate: they come again after 5 minutes, not at once."""
    good = scene.active(duration="PT10S")
    scene.put(scene.deployment.request_table, _beside(scene, scene.active(), 0, **changes))
    scene.clock.sleep(10)
    scene.expire(1)
    assert scene.status(good) == Status.EXPIRED
    assert int(scene.item(f"{0:032x}")["due"]["N"]) >= int(scene.clock.now.timestamp()) + 290
    assert scene.measured("EndFailures") == [1]
