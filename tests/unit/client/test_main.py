"""What all commands have in common."""

import os
import subprocess
import sys
from unittest import mock

import click
import pytest
from click.testing import CliRunner

from grant_broker.client import main as command_line
from grant_broker.client import program
from grant_broker.client.main import SUMMARIES, main
from tests.infrastructure.reachable import LAYER


@pytest.mark.parametrize("name", SUMMARIES)
def test_summary(name: str) -> None:
    """What the list of commands says of one are the first words of its own help."""
    found = command_line.root.get_command(click.Context(command_line.root), name)
    assert found is not None
    assert found.name == name
    assert found.get_short_help_str(limit=1_000) == SUMMARIES[name]


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """--help lists every command under whom it is for, and the exit codes."""
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in SUMMARIES)
    assert shown.index("Third parties:") < shown.index("Operators:") < shown.index("Exit codes")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version names the version that is installed."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("grant-broker, version ")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("", set(SUMMARIES)),
        ("re", {"release", "replay", "request", "reviews", "revocations", "revoke"}),
        ("--v", {"--version"}),
    ],
)
def test_completion(words: str, offered: set[str]) -> None:
    """The shell completes commands and options, and imports none of them for that."""
    shell = {
        "_GRANT_BROKER_COMPLETE": "zsh_complete",
        "COMP_WORDS": f"grant-broker {words}",
        "COMP_CWORD": "1",
    }
    with mock.patch.object(command_line, "import_module", side_effect=AssertionError):
        done = CliRunner().invoke(command_line.root, prog_name="grant-broker", env=shell)
    assert {
        line for line in done.output.splitlines() if line in {*SUMMARIES, "--version", "--help"}
    } == offered


def test_closed_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the output may stop: the command ends without a word, as one that SIGPIPE ended."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert main(["openapi"]) == 141
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, click.Abort])
def test_interrupted(stopped: type[BaseException]) -> None:
    """Ctrl-C ends a command with a shell's exit code for it, without a traceback."""
    with mock.patch.object(command_line.root, "main", side_effect=stopped):
        assert main(["openapi"]) == 130


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_is_told(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`completion` prints a script that asks this command for its completions."""
    assert main(["completion", shell]) == 0
    assert "_GRANT_BROKER_COMPLETE" in capsys.readouterr().out


_IMPORT = "import sys; sys.modules |= dict.fromkeys(sys.argv[1].split()); "
_EACH = "[root.get_command(None, name) for name in root.list_commands(None)]"
_LAMBDA_S = "aws_lambda_powertools aws_xray_sdk"
_NOT_BOTO3_S = f"{_LAMBDA_S} pydantic click rich yaml"


@pytest.mark.parametrize(
    ("program", "missing"),
    [
        ("from grant_broker.client import Client, HeldGrant, SecurityTeam", _NOT_BOTO3_S),
        (f"from grant_broker.client.main import root; {_EACH}", _LAMBDA_S),
    ],
)
def test_what_is_needed(program: str, missing: str) -> None:
    """The Python client loads with boto3 alone, and every command without anything of Lambda's."""
    command = [sys.executable, "-c", _IMPORT + program, missing]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=LAYER)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("missing", ["click", "yaml"])
def test_without_the_extra(missing: str) -> None:
    """Where the command line is not installed, one line says what to install."""
    program = "import grant_broker.client.program as p; sys.argv[1:] = ['apply', 'x']; sys.exit(p.main())"
    command = [sys.executable, "-c", _IMPORT + program, missing]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=LAYER)  # noqa: S603
    assert (done.returncode, done.stdout) == (2, "")
    words = f"the command line is not installed ({missing} is missing): pip install '.[client]'"
    assert done.stderr == f"grant-broker: {words}\n"


def test_the_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is installed as `grant-broker` runs the command line, and hides no fault of ours."""
    monkeypatch.setattr(sys, "argv", ["grant-broker", "--version"])
    assert program.main() == 0
    assert "grant-broker" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "grant_broker.client.main", None)
    with pytest.raises(ModuleNotFoundError, match=r"grant_broker\.client\.main"):
        program.main()
