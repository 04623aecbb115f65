"""`grant-broker uninstall`, where others are at work meanwhile, or time runs out."""

import pytest

from grant_broker.client.commands import uninstall
from grant_broker.client.main import main
from tests.support.scripted_api import Reply, problem, scripted_api

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
BLOCK = "0123456789abcdef" * 2
NONE: Reply = (200, {"items": [], "cursor": None}, {})
MADE: Reply = (202, {"id": BLOCK, "matched": 0}, {})
THROUGH: Reply = (200, {"left": 0}, {})
ENDED = [THROUGH, *[NONE] * 6]
"""A look that finds nothing: the revocation, three lists of what to revoke and three of what lives."""


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that sign, and no time to lose."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setattr(uninstall, "_PAUSE", 0)


def listed(**item: object) -> Reply:
    """A list of one."""
    return 200, {"items": [item], "cursor": None}, {}


def test_what_others_have_done_meanwhile_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """A key that somebody else has closed, a grant that ended by itself, a key that KMS does not show."""
    keys, active = listed(key_arn=KEY), listed(id="a", status="active")
    closing = [NONE, MADE, keys, problem(404, "not_found")]
    look = [THROUGH, NONE, NONE, active, problem(409, "conflict"), NONE, NONE, NONE]
    script = [*closing, *look, problem(409, "conflict")]
    with scripted_api(*script) as api:
        assert main(["uninstall", "--yes", "--endpoint-url", api.url]) == 0
        assert len(api.calls) == len(script)
    out = capsys.readouterr().out
    assert KEY in out
    assert f"revocations lift {BLOCK}" in out


def test_the_block_of_an_earlier_run_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """The same command again blocks no second time; one that was lifted, or is of one key, is none."""
    lifted = {"id": "x", "all": True, "blocked_until": "2030-01-01T00:00:00Z"}
    of_one = {"id": "y", "all": False, "blocked_until": None}
    stands = {"id": BLOCK, "all": True, "blocked_until": None}
    blocks: Reply = (200, {"items": [lifted, of_one, stands], "cursor": None}, {})
    with scripted_api(blocks, NONE, *ENDED) as api:
        assert main(["uninstall", "--yes", "--endpoint-url", api.url]) == 0
    assert BLOCK in capsys.readouterr().out


@pytest.mark.parametrize(
    ("look", "said"),
    [
        ([(200, {"left": 3}, {})], f"3 of revocation {BLOCK}"),
        ([THROUGH, *[NONE] * 5, listed(id="a", status="ending")], "a, ending"),
    ],
)
def test_what_is_left_when_the_time_is_over(
    look: list[Reply], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named, with exit code 4; the next time goes on with it."""
    with scripted_api(NONE, MADE, NONE, *look) as api:
        assert main(["uninstall", "--yes", "--timeout", "0s", "--endpoint-url", api.url]) == 4
    told = capsys.readouterr()
    assert f"not ended yet: {said}" in told.err
    assert "Delete the stack" not in told.out


def test_it_looks_again_while_kms_lists_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Until nothing is left, by KMS's own lists too: a record may say more than is true."""
    grants = [{"through": {"kind": "grant", "request_id": "a"}}, {"through": {"kind": "key_policy"}}]
    alive: Reply = (200, {"items": grants, "findings": [], "counts": {}, "cursor": None}, {})
    gone: Reply = (200, {"items": grants[1:], "findings": [], "counts": {}, "cursor": None}, {})
    closed: Reply = (204, None, {})
    script = [NONE, MADE, listed(key_arn=KEY), closed, *ENDED, alive, *ENDED, gone]
    with scripted_api(*script) as api:
        assert main(["uninstall", "--yes", "--endpoint-url", api.url]) == 0
        assert len(api.calls) == len(script)
    assert "Delete the stack" in capsys.readouterr().out


def test_nothing_is_done_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody can be asked it wants to be told."""
    assert main(["uninstall", "--endpoint-url", "http://127.0.0.1:9/live"]) == 2
    assert "give --yes" in capsys.readouterr().err
