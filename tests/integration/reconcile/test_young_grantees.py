"""A grantee that KMS shows by its id: too young to be known by its ARN, or deleted."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from tests.support.records import NOW, Scene, before_intent, grant, request, votes

YOUNG = "AROAYOUNGPARTNERROLE1"


def shown(seconds: float, **changes: Any) -> Any:
    """The request's grant as KMS lists it by its grantee's id, made so many seconds ago."""
    return grant(**{"grantee": YOUNG, "created_at": NOW - timedelta(seconds=seconds), **changes})


@pytest.mark.parametrize("grantee", [YOUNG, "AIDAYOUNGPARTNERUSER1"])
@pytest.mark.parametrize(
    ("seconds", "status"), [(1, Status.ACTIVE), (599, Status.ACTIVE), (600, Status.ENDING)]
)
def test_waits_until_it_was_looked_at_twice(
    scene: Scene, grantee: str, seconds: float, status: Status
) -> None:
    """A grant by an id alone is left until it is older than two runs are apart, then it ends."""
    scene.put(request(), votes(request()))
    scene.run(shown(seconds, grantee=grantee))
    assert scene.request().status == status


@pytest.mark.parametrize(
    "changes",
    [
        {"operations": ("Decrypt",)},
        {"constraints": {"EncryptionContextEquals": {"tenant": "b"}}},
        {"grantee": "rds.amazonaws.com"},
        {"grantee": "arn:aws:iam::444455556666:role/another"},
    ],
)
def test_everything_else_ends_at_first_sight(scene: Scene, changes: dict[str, Any]) -> None:
    """A young grant that allows what nobody approved, or names somebody else, is not waited for."""
    scene.put(request(), votes(request()))
    assert scene.run(shown(1, **changes)).drift == 1


def test_without_approval(scene: Scene) -> None:
    """A young grant that no approval covers ends at first sight, with a record and without."""
    scene.put(request())
    scene.run(shown(1))
    assert scene.request().status == Status.ENDING
    scene.run(shown(1, grant_id="g2", name="backup"))
    assert scene.request(shown(1, grant_id="g2").derived_id).status == Status.ENDING


def test_without_its_record(scene: Scene) -> None:
    """Where the record is lost, the votes tell whom the grant was for."""
    scene.put(votes(request()))
    scene.run(shown(1))
    assert (scene.request().status, scene.request().grantee) == (Status.ACTIVE, request().grantee)


def test_before_its_intent(scene: Scene) -> None:
    """A restored record that waits to be taken up catches up with it."""
    waiting = before_intent(Status.APPROVED)
    scene.put(waiting, votes(waiting))
    scene.run(shown(1))
    assert scene.request().status == Status.ACTIVE
