"""Waiting until a mass revocation is through."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from grant_broker.client.api_command import Api
from grant_broker.client.commands.revocations import wait_until_ended


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for real."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def _api(*lefts: int) -> Api:
    answers = iter([{"id": "r1", "left": left} for left in lefts])
    security = SimpleNamespace(get_revocation=lambda _id: next(answers))
    return cast("Api", SimpleNamespace(client=SimpleNamespace(security=security)))


def test_it_looks_until_nothing_is_left() -> None:
    """Again and again, and no further."""
    found: Any = {"id": "r1", "left": 9}
    assert wait_until_ended(_api(5, 0), found, timedelta(minutes=1))["left"] == 0


def test_it_gives_up_when_its_time_is_over() -> None:
    """What is left then is shown: it ends all the same."""
    found: Any = {"id": "r1", "left": 9}
    assert wait_until_ended(_api(), found, timedelta())["left"] == 9
