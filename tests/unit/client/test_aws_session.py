"""Commands that ask AWS themselves: the profile and the Region that they were told."""

from pathlib import Path

import click
import pytest

from grant_broker.client import aws_session
from grant_broker.client.main import main

CONFIG = """
[profile auditor]
region = eu-west-1
aws_access_key_id = AUDITOR
aws_secret_access_key = secret
"""


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One profile, and other credentials in the environment, which a named profile goes before."""
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AT-HAND")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


@click.command()
@aws_session.session_options
def told() -> tuple[str, str | None]:
    """Say the Region of a client and the profile."""
    return aws_session.clients().dynamodb().meta.region_name, aws_session.get_profile()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ("eu-central-1", None)),
        (["--region", "us-east-1"], ("us-east-1", None)),
        (["--profile", "auditor"], ("eu-west-1", "auditor")),
        (["--profile", "auditor", "--region", "us-east-1"], ("us-east-1", "auditor")),
    ],
)
def test_session(
    options: list[str], expected: tuple[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told goes before the environment, a Region before the profile's own."""
    if options[:1] == ["--profile"]:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert told.main(options, standalone_mode=False) == expected


@pytest.mark.parametrize(
    "command",
    [
        ["outputs", "--stack", "broker"],
        ["audit", "export", "--stack", "broker"],
        ["audit", "verify", "--stack", "broker"],
        ["replay", "--stack", "broker", "--since", "2026-01-01T00:00:00Z"],
        ["key-policy", "--stack", "broker", "arn:aws:kms:eu-west-1:111122223333:key/a"],
        ["access", "--stack", "broker", "--from-kms", "arn:aws:kms:eu-west-1:111122223333:key/a"],
    ],
    ids=lambda command: " ".join(command[:2]).removesuffix(" --stack"),
)
def test_every_command_that_knows_a_stack_takes_a_profile(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is not there is one line on the standard error."""
    assert main([*command, "--profile", "none"]) in {1, 2}
    [line] = capsys.readouterr().err.splitlines()
    assert "The config profile (none) could not be found" in line
