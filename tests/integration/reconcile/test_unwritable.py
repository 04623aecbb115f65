"""What reconcile does where the record of a grant that must end cannot be written."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.aws.store import Store
from grant_broker.domain.blocks import Block, Selectors, Standing
from grant_broker.domain.errors import Stale
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.request import GrantRequest
from tests.support.records import CREATED, EXPIRES, NOW, Scene, grant, request, votes

OTHER = "f" * 32


def _forge_next_event(scene: Scene, record: GrantRequest) -> None:
    """Put something where the record's next event goes, as whoever writes the table can."""
    place = {"pk": {"S": f"request#{record.id}"}, "sk": {"S": f"event#{record.events + 1:06d}"}}
    scene.client.put_item(TableName="requests", Item=place)


def _is_ending(scene: Scene, live: ListedGrant) -> bool:
    apart = scene.store.find_request(live.derived_id)
    return apart is not None and (apart.status, apart.grant_id) == (Status.ENDING, live.grant_id)


@pytest.mark.parametrize("others", [0, 1])
def test_a_forged_next_event(scene: Scene, others: int) -> None:
    """It keeps no grant alive that nobody approved: that ends by a record of its own, with drift."""
    scene.put(request(), *[request(id=OTHER, grant_id="g-other")] * others)
    _forge_next_event(scene, request())
    live = grant()
    second = [grant(name=grant_name(OTHER, EXPIRES), grant_id="g-other")] * others
    assert scene.run(live, *second).drift == 1 + others
    assert _is_ending(scene, live)
    assert scene.request().status == Status.ACTIVE


def test_forged_next_event_of_a_closed_record(scene: Scene) -> None:
    """Nor does it where the record says that the grant was ended long ago."""
    closed = request(status=Status.EXPIRED, ended_at=NOW - timedelta(days=1), action=None, due=None)
    scene.put(closed)
    _forge_next_event(scene, closed)
    live = grant()
    scene.run(live)
    assert _is_ending(scene, live)


@pytest.mark.parametrize(
    ("status", "is_revoked", "is_apart"),
    [
        pytest.param(Status.ACTIVE, False, True, id="whose grant nobody approved ends apart"),
        pytest.param(Status.ENDING, False, False, id="that is ending already is left to that"),
        pytest.param(Status.ACTIVE, True, False, id="that was in order is for the next run"),
    ],
)
def test_a_record_that_another_writer_moves(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, status: Status, is_revoked: bool, is_apart: bool
) -> None:
    """A grant that nobody approved is not kept alive by whoever writes its record again and again."""
    scene.put(request())
    if is_revoked:
        revocation = Standing(revocation="r1", since=CREATED + timedelta(minutes=1))
        scene.put(votes(request()), Block(selectors=Selectors()).stood_on(revocation).record)
    commit = Store.commit

    def commit_after_another(store: Store, *changes: Any, **rest: Any) -> None:
        if any(change.record.subject == request().subject for change in changes):
            scene.put(request(version=2, status=status))
            raise Stale("another writer was first")
        commit(store, *changes, **rest)

    monkeypatch.setattr(Store, "commit", commit_after_another)
    live = grant()
    assert scene.run(live).drift == is_apart
    assert (scene.store.find_request(live.derived_id) is not None) == is_apart
