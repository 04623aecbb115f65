"""What was revoked ends, whatever somebody who took `requests` over writes into its record afterwards."""

from collections.abc import Callable
from typing import Any

import pytest

from grant_broker.aws.store import Store
from grant_broker.domain.errors import Stale
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest
from grant_broker.reconcile.run import reconcile
from tests.support.scene import InProcessStack


def run_reconcile(scene: InProcessStack) -> None:
    """One run of reconcile, in which `expiry` is told of nothing."""
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)


def ahead(scene: InProcessStack) -> str:
    """A grant by a standing approval: nobody voted on its request."""
    scene.approve_ahead()
    return str(scene.submit().body["id"])


@pytest.fixture(params=[InProcessStack.active, ahead], ids=["by votes", "by a standing approval"])
def granted(request: pytest.FixtureRequest, scene: InProcessStack) -> str:
    """A live grant's request."""
    grant: Callable[[InProcessStack], str] = request.param
    return grant(scene)


def contended(monkeypatch: pytest.MonkeyPatch, request_id: str) -> None:
    """Another writer is always first where a request's record is to be written."""
    commit = Store.commit

    def lose(store: Store, *changes: Any, **rest: Any) -> None:
        records = [change.record for change in changes]
        if any(isinstance(record, GrantRequest) and record.id == request_id for record in records):
            raise Stale("another writer was first")
        commit(store, *changes, **rest)

    monkeypatch.setattr(Store, "commit", lose)


def test_a_record_put_back(scene: InProcessStack, granted: str) -> None:
    """A record that says again what it said before is drift: the grant ends in the next run."""
    before = scene.item(granted)
    assert scene.revoke(granted).status == 202
    scene.put(scene.deployment.request_table, before)
    assert scene.status(granted) == Status.ACTIVE
    run_reconcile(scene)
    assert scene.measured("DriftFound") == [1]
    scene.expire(3)
    assert scene.grants() == []


def test_a_record_that_is_written_all_the_time(
    scene: InProcessStack, granted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who revokes is told that nobody knows, and the grant ends by another record."""
    with monkeypatch.context() as patched:
        contended(patched, granted)
        assert scene.revoke(granted).status == 503
        run_reconcile(scene)
    assert scene.status(granted) == Status.ACTIVE
    scene.expire(3)
    assert scene.grants() == []


def test_by_a_mass_revocation(scene: InProcessStack, granted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it does where the sweep cannot write the record, at once and not minutes later."""
    asked = {"account": "444455556666", "reason": "incident", "block_for": "PT1H"}
    with monkeypatch.context() as patched:
        contended(patched, granted)
        assert scene.call("bob", "POST", "/security/revocations", asked).status == 202
        run_reconcile(scene)
    assert scene.status(granted) == Status.ACTIVE
    scene.expire(3)
    assert scene.grants() == []


def test_in_order(scene: InProcessStack, granted: str) -> None:
    """Where nobody meddles a revocation is no drift, before its grant has ended and after."""
    assert scene.revoke(granted).status == 202
    run_reconcile(scene)
    scene.expire(3)
    assert scene.status(granted) == Status.REVOKED
    run_reconcile(scene)
    assert scene.measured("DriftFound") == [0, 0]
    assert scene.grants() == []
