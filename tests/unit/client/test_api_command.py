"""How commands find the broker."""

from unittest import mock

import boto3
import pytest

from grant_broker.client.main import main
from tests.support.scripted_api import scripted_api

STACK = {"Stacks": [{"Outputs": [{"OutputKey": "RequestTableName", "OutputValue": "t"}]}]}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    """A session whose CloudFormation knows one stack."""
    monkeypatch.delenv("GRANT_BROKER_URL", raising=False)
    real = boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-central-1")
    made = mock.Mock(wraps=real, region_name="eu-central-1")
    monkeypatch.setattr(boto3, "Session", mock.Mock(return_value=made))
    return made


def test_by_its_stack(session: mock.Mock, capsys: pytest.CaptureFixture[str]) -> None:
    """With --stack the address is the stack's output; no other stack has it."""
    with scripted_api((200, {"items": [], "cursor": None}, {})) as api:
        outputs = [*STACK["Stacks"][0]["Outputs"], {"OutputKey": "ApiUrl", "OutputValue": api.url}]
        stacks = mock.Mock(return_value={"Stacks": [{"Outputs": outputs}]})
        session.client = mock.Mock(return_value=mock.Mock(describe_stacks=stacks))
        assert main(["keys", "--stack", "broker", "--output", "json"]) == 0
        assert (capsys.readouterr().out, len(api.seen)) == ("[]\n", 1)
        stacks.return_value = STACK
        assert main(["keys", "--stack", "other"]) == 3
    assert "the stack other has no output ApiUrl" in capsys.readouterr().err


def test_without_an_address(session: mock.Mock, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is guessed: it is said where the address is found."""
    assert main(["keys"]) == 3
    assert not session.client.called
    assert capsys.readouterr().err.startswith(
        "grant-broker: the broker's address is missing: set GRANT_BROKER_URL"
    )


def test_an_answer_without_a_body(session: mock.Mock, capsys: pytest.CaptureFixture[str]) -> None:
    """`call` says the status on the standard error where there is nothing to print."""
    assert session
    with scripted_api((204, "", {})) as api:
        assert main(["call", "delete", "/security/keys/k", "--endpoint-url", api.url]) == 0
        assert api.calls == ["DELETE /live/security/keys/k"]
    assert tuple(capsys.readouterr()) == ("", "204\n")
