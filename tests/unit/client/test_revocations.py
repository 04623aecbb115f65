"""Waiting until a mass revocation is through, and how it is shown."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from grant_broker.client.api_command import Api
from grant_broker.client.commands.revocations import wait_until_ended
from grant_broker.client.tables import print_revocations


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


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "it is lifted"),
        ({"blocked_until": "2020-01-01T00:00:00Z"}, "2020-01-01T00:00:00Z ("),
        (
            {"blocked_until": "2020-01-01T00:00:00Z", "lifted_at": "2019-01-01T00:00:00Z"},
            "lifted 2019-01-01T00:00:00Z (",
        ),
    ],
)
def test_until_when_it_blocks(
    changes: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that was lifted says so, and not when it would have ended."""
    print_revocations([_shown(**changes)])
    cells = re.split(" {2,}", capsys.readouterr().out.splitlines()[1])
    assert cells[5].startswith(words)


def test_what_blocks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The end of a standing approval's grants has no block, so no time of one."""
    print_revocations([_shown(approval="a1")])
    assert "lifted" not in capsys.readouterr().out


def _shown(**changes: str) -> Any:
    nothing = dict.fromkeys(("key", "account", "grantee", "approval", "blocked_until", "lifted_at"))
    counts = {"matched": 3, "ended": 2, "left": 1}
    return {"id": "r1", "by": "expiry", "reason": "drill", **counts, **nothing, **changes}
