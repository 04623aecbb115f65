"""An invariant broken on purpose, in six ways: the checker sees each."""

from collections.abc import Callable
from typing import Any

import pytest

from grant_broker.aws.store import Store
from grant_broker.domain.bookkeeping import off_agenda
from grant_broker.domain.lifecycle import Status
from grant_broker.expiry import run as expiry
from grant_broker.expiry import steps as ending
from grant_broker.requests.broker import RequestsBroker
from tests.simulation import checks
from tests.simulation.clockwork import tick
from tests.simulation.injection import Fault, Kind
from tests.simulation.machine import Faults
from tests.simulation.one_request import OneRequest
from tests.simulation.races import RACERS, close_key
from tests.simulation.world import World

CLOSE_KEY = RACERS.index(close_key)
commit = Store.commit


def _found(world: World) -> list[str]:
    """What the checker says, at once and once the schedules have run."""
    tick(world, 30)
    return checks.at_once(world.ledger)


def _without_checks(self: Store, *changes: Any, **more: Any) -> None:
    commit(self, *changes, others=more.get("others", ()))


def _effect_first(broker: RequestsBroker) -> Callable[..., None]:
    def swapped(self: Store, *changes: Any, **more: Any) -> None:
        for request in (change.record for change in changes):
            if getattr(request, "status", None) == Status.ISSUING:
                broker.issuer.create_grant(
                    key_arn=request.key_arn, grantee=request.grantee, scope=request.scope,
                    retiring_principal=broker.settings.retiring_principal, name=request.grant_name,
                )  # fmt: skip
        commit(self, *changes, **more)

    return swapped


def _off_the_agenda(broker: Any, request_id: str, _error: Any) -> None:
    request = broker.store.find_request(request_id)
    broker.store.commit(off_agenda(request))


def _take_up_while(world: World, racer: int) -> None:
    """Take up, while another caller comes in between the last read and the transaction."""
    race = Fault(Kind.RACED, operation="TransactWriteItems", racer=racer)
    OneRequest(world).approved().take_up(race)


def _end_while(world: World, kind: Kind) -> None:
    """A grant's end, at which RetireGrant and RevokeGrant are answered so once."""
    OneRequest(world).active().advance(1190)
    world.run_expiry(20, plan=[Fault(kind, operation=name) for name in ("RetireGrant", "RevokeGrant")])


def test_condition_check_removed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the condition check a grant is made on a key that was closed meanwhile."""
    _take_up_while(world, CLOSE_KEY)
    assert _found(world) == []
    world.reset()
    monkeypatch.setattr(Store, "commit", _without_checks)
    _take_up_while(world, CLOSE_KEY)
    assert any("uncovered: the key is not open" in found for found in _found(world))


def test_intent_and_effect_swapped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A grant made before its intent is stored is seen, whether or not the process dies between the two."""
    monkeypatch.setattr(Store, "commit", _effect_first(world.processes.broker("requests")))
    OneRequest(world).active()
    assert any("before its intent was stored" in found for found in _found(world))


def test_any_not_found_is_success(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record closed on KMS's first NotFound, while the grant is listed and lives, is seen."""
    _end_while(world, Kind.NOT_FOUND)
    assert checks.at_once(world.ledger) == []
    assert _found(world) == []
    world.reset()
    monkeypatch.setattr(ending, "_ensure_gone", lambda *_: None)
    _end_while(world, Kind.NOT_FOUND)
    assert any("told to have ended, but its grant lives" in found for found in checks.at_once(world.ledger))


def test_backoff_dropped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end that fails and leaves the agenda is seen at once."""
    _end_while(world, Kind.ACCESS_DENIED)
    assert _found(world) == []
    world.reset()
    monkeypatch.setattr(ending, "_postpone", _off_the_agenda)
    _end_while(world, Kind.ACCESS_DENIED)
    assert any("off the agenda" in found for found in checks.at_once(world.ledger))


def test_name_check_skipped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the name check the broker ends grants of others, which is seen."""
    OneRequest(world).approved().take_up(Fault(Kind.DIED_BEFORE, operation="CreateGrant"))
    assert _found(world) == []
    world.reset()
    monkeypatch.setattr(ending, "_is_ours", lambda *_: True)
    OneRequest(world).approved().take_up(Fault(Kind.DIED_BEFORE, operation="CreateGrant"))
    assert any("foreign grant" in found for found in _found(world))


def test_ends_a_second_late(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end two seconds after its time is seen by the machine's own look at a healthy run."""
    monkeypatch.setattr(expiry, "_pause", lambda *_, **__: 7.0)
    monkeypatch.setattr(Faults, "world", world, raising=False)
    machine = Faults()
    OneRequest(world).active()
    machine.expiry_runs(plan=[], seconds=130, near=True)
    assert any("late by a run that covered it" in found for found in checks.at_once(world.ledger))
