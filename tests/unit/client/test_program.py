"""The program where its libraries are missing."""

import sys

import pytest

from grant_broker.client import program


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The command line, as if it had not been imported yet."""
    monkeypatch.delitem(sys.modules, "grant_broker.client.main", raising=False)
    monkeypatch.delattr("grant_broker.client.main", raising=False)
    return monkeypatch


def test_without_the_extra(unloaded: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is missing is named, with how to install it, in one line."""
    unloaded.setitem(sys.modules, "click", None)
    assert program.main() == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "(click is missing): pip install '.[client]'" in line


def test_another_module_is_missing(unloaded: pytest.MonkeyPatch) -> None:
    """A mistake of ours is told as one."""
    unloaded.setitem(sys.modules, "grant_broker.client.main", None)
    with pytest.raises(ModuleNotFoundError, match=r"client\.main"):
        program.main()
