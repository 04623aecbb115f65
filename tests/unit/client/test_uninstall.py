"""`grant-broker uninstall`, where others are at work meanwhile, or time runs out."""

import pytest

from grant_broker.client.commands import uninstall
from grant_broker.client.main import main
from tests.support.scripted_api import Reply, problem, scripted_api

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
NONE: Reply = (200, {"items": [], "cursor": None}, {})


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that sign, and no time to lose."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setattr(uninstall, "_PAUSE", 0)


def listed(**item: str) -> Reply:
    """A list of one."""
    return 200, {"items": [item], "cursor": None}, {}


def test_what_others_have_done_meanwhile_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """A key that somebody else has closed, and a grant that ended by itself."""
    keys, active = listed(key_arn=KEY), listed(id="a", status="active")
    script = [keys, problem(404, "not_found"), NONE, NONE, active, problem(409, "conflict"), NONE, NONE, NONE]
    with scripted_api(*script) as api:
        assert main(["uninstall", "--yes", "--endpoint-url", api.url]) == 0
        assert len(api.calls) == len(script)
    assert KEY in capsys.readouterr().out


def test_what_is_left_when_the_time_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, with exit code 4; the next time goes on with it."""
    left = listed(id="a", status="ending")
    with scripted_api(NONE, NONE, NONE, NONE, NONE, NONE, left) as api:
        assert main(["uninstall", "--yes", "--timeout", "0s", "--endpoint-url", api.url]) == 4
    said = capsys.readouterr()
    assert "not ended yet: a, ending" in said.err
    assert "Delete the stack" not in said.out


def test_it_looks_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Until nothing is left."""
    left = listed(id="a", status="ending")
    script = [NONE, NONE, NONE, NONE, NONE, NONE, left, NONE, NONE, NONE, NONE, NONE, NONE]
    with scripted_api(*script) as api:
        assert main(["uninstall", "--yes", "--endpoint-url", api.url]) == 0
        assert len(api.calls) == len(script)
    assert "Delete the stack" in capsys.readouterr().out


def test_nothing_is_done_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody can be asked it wants to be told."""
    assert main(["uninstall", "--endpoint-url", "http://127.0.0.1:9/live"]) == 2
    assert "give --yes" in capsys.readouterr().err
