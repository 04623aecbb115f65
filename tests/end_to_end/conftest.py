"""One running stack for all end-to-end tests, in a process of its own, and who calls it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.local_aws.clients import client_of
from tests.local_aws.cloud import Credentials
from tests.local_stack.client import Answer, Client
from tests.local_stack.template import ROOT

_START = 120  # seconds; a loaded machine takes its time
_DEADLINE = 30
_SESSION = boto3.Session()


class Running:
    """What the ready file says, and clients made of it."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready
        self.key: str = ready["keys"]["partner_data"]
        self.tables: dict[str, str] = ready["tables"]

    def credentials(self, name: str) -> Credentials:
        """A person's, or with `functions.` before its name a function's role's."""
        kind, _, last = name.rpartition(".")
        who = self.ready[kind or "people"][last]
        return Credentials(
            who["arn"], who["account"], who["access_key_id"], who["secret_access_key"], who["session_token"]
        )

    def grantee(self, person: str) -> str:
        """The ARN to name in a request."""
        return str(self.ready["people"][person]["grantee"])

    def call(self, person: str, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One signed call of the API."""
        client = Client(self.ready["api_url"], self.ready["region"], self.credentials(person))
        return client.call(method, path, body, **more)

    def role(self, function: str) -> str:
        """The role of a function."""
        account, name = self.ready["functions"][function]["arn"].split(":")[4:]
        return f"arn:aws:iam::{account}:role/{name.split('/')[1]}"

    def session(self, person: str) -> boto3.Session:
        """A session of boto3 with a person's credentials."""
        who = self.credentials(person)
        return boto3.Session(
            who.access_key_id,
            who.secret_access_key,
            who.session_token or None,
            region_name=self.ready["region"],
        )

    def function_name(self, function: str) -> str:
        """The function's own name, which Lambda gives to its role's sessions."""
        return str(self.ready["functions"][function]["arn"].rpartition("/")[2])

    def aws(self, person: str, service: str, region: str | None = None) -> Any:
        """A plain client of the local AWS, in the stack's Region unless said otherwise."""
        return self.aws_as(self.credentials(person), service, region)

    def aws_as(self, who: Credentials, service: str, region: str | None = None) -> Any:
        """A plain client of the local AWS with any credentials."""
        config = Config(proxies={}, retries={"total_max_attempts": 1})
        return client_of(
            _SESSION,
            service,
            region_name=region or self.ready["region"],
            endpoint_url=self.ready["aws_url"],
            aws_access_key_id=who.access_key_id,
            aws_secret_access_key=who.secret_access_key,
            aws_session_token=who.session_token or None,
            config=config,
        )

    def submission(self, person: str = "partner", **changes: Any) -> dict[str, Any]:
        """A request that is fine as it is, but for what is given."""
        fine = {
            "key": "partner_data",
            "grantee": self.grantee(person),
            "operations": ["Encrypt"],
            "encryption_context": {"dataset": "orders"},
            "duration": "PT1H",
            "reason": "nightly upload",
        }
        return {**fine, **changes}

    def granted(self, person: str = "partner", **changes: Any) -> dict[str, Any]:
        """A request submitted, approved by alice and taken up: the Request with its grant."""
        made = self.call(person, "POST", "/requests", self.submission(person, **changes))
        assert made.status == 201, made.body
        path = f"/requests/{made.body['id']}"
        decided = self.call(
            "alice", "POST", f"/security{path}/decision", {"verdict": "approve", "comment": ""}
        )
        assert decided.status == 200, decided.body
        taken = self.call(person, "POST", f"{path}/grant")
        assert taken.status == 201, taken.body
        return dict(taken.body)

    def until(self, status: str, request: dict[str, Any], person: str = "partner") -> dict[str, Any]:
        """The Request once it has the status."""
        deadline = time.monotonic() + _DEADLINE
        while True:
            seen = self.call(person, "GET", f"/requests/{request['id']}").body
            if seen["status"] == status:
                return dict(seen)
            assert time.monotonic() < deadline, f"still {seen['status']}, not {status}"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack writes: the ready file, and in `log` what it says."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="session")
def stack(stack_folder: Path) -> Iterator[Running]:
    """A stack that serves until the last test is through."""
    with started(stack_folder) as (ready, _):
        yield Running(ready)


@contextmanager
def started(folder: Path, *options: str) -> Iterator[tuple[dict[str, Any], "subprocess.Popen[bytes]"]]:
    """A stack of one's own: what its ready file says, and its process."""
    ready, log = folder / "ready.json", folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "tests.local_stack", "serve", "--ready-file", str(ready), *options],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _read(ready, process, log), process
        finally:
            process.terminate()
            process.wait(20)


def _read(ready: Path, process: "subprocess.Popen[bytes]", log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + _START
    while not ready.exists():
        assert process.poll() is None, log.read_text("utf-8", "replace")
        assert time.monotonic() < deadline, log.read_text("utf-8", "replace")
        time.sleep(0.05)
    found: dict[str, Any] = json.loads(ready.read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def local_aws(stack: Running) -> Iterator[None]:
    """Whoever makes clients of AWS meets the stack's."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stack.ready["aws_url"])
        yield
