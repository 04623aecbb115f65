"""The command line, run as one of the stack's people."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from grant_broker.client import Client, api_command
from grant_broker.client.main import main
from tests.end_to_end.conftest import Running


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def fields(self) -> dict[str, str]:
        """Its output as fields, by their names; of a name that comes again the last."""
        rows = (re.split(" {2,}", line, maxsplit=1) for line in self.out.splitlines())
        return {row[0]: row[1] for row in rows if len(row) > 1}

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


class CommandLine:
    """Runs `grant-broker` in this process, with the environment that a person's shell would have."""

    def __init__(
        self, stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._stack, self._monkeypatch, self._capsys = stack, monkeypatch, capsys
        monkeypatch.setenv("AWS_ENDPOINT_URL", stack.ready["aws_url"])
        monkeypatch.setenv("AWS_REGION", stack.ready["region"])
        monkeypatch.setenv("GRANT_BROKER_URL", stack.ready["api_url"])
        monkeypatch.setenv("COLUMNS", "200")

    def asleep(self, sleep: Callable[[float], None]) -> None:
        """Do this wherever a command would sleep."""
        self._monkeypatch.setattr(api_command, "Client", partial(Client, sleep=sleep))

    def run(self, person: str, *words: str) -> Done:
        """Run one command as this person."""
        who = self._stack.credentials(person)
        self._monkeypatch.setenv("AWS_ACCESS_KEY_ID", who.access_key_id)
        self._monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", who.secret_access_key)
        self._monkeypatch.setenv("AWS_SESSION_TOKEN", who.session_token)
        self._capsys.readouterr()
        code = main(words)
        printed = self._capsys.readouterr()
        return Done(code, printed.out, printed.err)

    def json(self, person: str, *words: str) -> Any:
        """Run one command that must succeed; its output as JSON."""
        done = self.run(person, *words, "--output", "json")
        assert (done.code, done.err) == (0, "")
        return done.json
