#!/usr/bin/env python3
"""Fuzz the API of the local stack over signed HTTP with schemathesis: fuzz [MAX_EXAMPLES [SEED]].

Exits 0 only if at least 2,000 calls were made, each operation succeeded at least once, and nothing was found.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "grant_broker")]

from tests.local_aws.cloud import Credentials  # noqa: E402
from tests.local_stack.client import Client  # noqa: E402

DOCUMENT = ROOT / "layers" / "grant_broker" / "grant_broker" / "api" / "openapi" / "openapi.json"
CONFIGURATION = ROOT / ".ci" / "schemathesis.toml"
CASES = 2_000
START = 120  # seconds
CREATED = 201
FIELDS = ("arn", "account", "access_key_id", "secret_access_key", "session_token")


@contextmanager
def stack(ready: Path) -> Iterator[dict[str, Any]]:
    """The local stack, up; its addresses and people."""
    command = [sys.executable, "-m", "tests.local_stack", "serve", "--ready-file", str(ready)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet)  # noqa: S603 - our own module
    try:
        deadline = time.monotonic() + START
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the local stack did not start")
            time.sleep(0.1)
        yield json.loads(ready.read_text("utf-8"))
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def prepared(up: dict[str, Any], folder: Path) -> Path:
    """A file with what the hooks need: the stack, a key to change and close, a key where two must approve."""
    admin = up["people"]["key_admin"]
    keys = (admin["access_key_id"], admin["secret_access_key"], admin["session_token"])
    kms = boto3.Session(*keys, up["region"]).client("kms", endpoint_url=up["aws_url"])
    policy = kms.get_key_policy(KeyId=up["keys"]["partner_data"], PolicyName="default")["Policy"]
    fuzzed_key, other = (kms.create_key(Policy=policy)["KeyMetadata"]["Arn"] for _ in range(2))
    limits = {"name": "two_votes", "accounts": [up["people"]["partner"]["account"]], "quorum": 2}
    alice = Client(up["api_url"], up["region"], Credentials(**{n: up["people"]["alice"][n] for n in FIELDS}))
    if alice.call("PUT", f"/security/keys/{other.rpartition('/')[2]}", limits).status != CREATED:
        sys.exit("the second key was not registered")
    until = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    file = folder / "up.json"
    file.write_text(json.dumps({**up, "valid_until": until, "fuzzed_key": fuzzed_key}), "utf-8")
    return file


def fuzzed(up: dict[str, Any], folder: Path, examples: str, seed: str) -> tuple[int, str]:
    """Schemathesis's exit code and its report."""
    told = {"GRANT_BROKER_UP": str(prepared(up, folder)), "GRANT_BROKER_ANSWERS": str(folder / "answers")}
    path = os.pathsep.join([str(ROOT / ".ci"), os.environ.get("PYTHONPATH", "")])
    checker = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIGURATION)]
    asked = ["--url", up["api_url"], "--max-examples", examples, "--seed", seed]
    run = subprocess.run(  # noqa: S603 - the checker that this file is about
        [*checker, "run", str(DOCUMENT), *asked],
        cwd=folder,
        env={**os.environ, **told, "SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": path},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return run.returncode, run.stdout


def main() -> int:
    """Fuzz; the exit code. Told to stop, it takes the stack and the checker along."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    examples, seed = (*sys.argv[1:], *("30", "1")[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with stack(folder / "ready.json") as up:
            code, report = fuzzed(up, folder, examples, seed)
        answers = [line.split("\t") for line in (folder / "answers").read_text("utf-8").splitlines()]
    print(report)
    for operation, statuses in sorted(by_operation(answers).items()):
        print(f"{operation:55} {', '.join(f'{n} x {status}' for status, n in sorted(statuses.items()))}")
    failed = [operation for operation in operations() if not reached(by_operation(answers)[operation])]
    print(f"fuzz: {len(answers)} calls, at least {CASES} wanted; never succeeded: {failed or 'none'}")
    return code or (1 if failed or len(answers) < CASES else 0)


def by_operation(answers: list[list[str]]) -> dict[str, Counter[str]]:
    """How often each operation gave each status."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for operation, status in answers:
        found[operation][status] += 1
    return found


def operations() -> list[str]:
    """Every documented operation."""
    paths = json.loads(DOCUMENT.read_text("utf-8"))["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


def reached(statuses: Counter[str]) -> bool:
    """Whether at least one call got through to the end: else its checks alone were tried."""
    return any(status.startswith("2") for status in statuses)


if __name__ == "__main__":
    sys.exit(main())
