"""`grant-broker outputs`: what the stack says of itself, for whoever may ask CloudFormation."""

import pytest

from grant_broker.aws.clients import Clients
from grant_broker.client.commands import outputs as command
from grant_broker.client.main import main
from tests.local_stack.deployment import STACK
from tests.support.scene import InProcessStack


@pytest.fixture(autouse=True)
def by_the_root_user(scene: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's clients, with every right."""
    session = scene.cloud.session(scene.cloud.root())
    monkeypatch.setattr(command, "clients", lambda: Clients(session.client))


def test_all_of_them(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """One a line, by name."""
    assert main(["outputs", "--stack", STACK]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"RequestTableName={scene.deployment.request_table}" in lines
    assert len(lines) == len(scene.deployment.template.outputs())


def test_one_of_them(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """Its value alone, for a shell to take."""
    assert main(["outputs", "--stack", STACK, "ApprovalTableName"]) == 0
    assert capsys.readouterr().out == f"{scene.deployment.approval_table}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--stack", STACK, "No"], f"the stack {STACK} has no output 'No'"),
        (["--stack", "none"], "Stack with id none does not exist"),
    ],
)
def test_what_is_not_there(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, with exit code 2."""
    assert main(["outputs", *words]) == 2
    assert said in capsys.readouterr().err
