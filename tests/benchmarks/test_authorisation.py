"""How fast decisions are, as a ratio to work of known size: absolute times differ by machine."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from grant_broker.policy_engine import Call, decide_kms
from tests.support.reports import Report

HOME = "111122223333"
KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{HOME}:role/app/encryptor"
TENANT = "kms:EncryptionContext:tenant"


def statement(number: int) -> dict[str, Any]:
    """A statement that takes action, principal and resource in and fails at its last condition."""
    return {
        "Sid": f"Statement{number}",
        "Effect": "Allow" if number % 2 else "Deny",
        "Principal": {
            "AWS": [f"arn:aws:iam::{HOME}:root", f"arn:aws:iam::{HOME}:role/app/other-{number}", ROLE]
        },
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:Enc*"],
        "Resource": f"arn:aws:kms:*:{HOME}:key/*",
        "Condition": {
            "StringLike": {"kms:ViaService": ["s3.*.amazonaws.com", "dynamodb.*.amazonaws.com"]},
            "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]},
            "StringEquals": {TENANT: [f"tenant-{number}", "${aws:PrincipalAccount}"]},
        },
    }


POLICY = {"Version": "2012-10-17", "Statement": [statement(number) for number in range(20)]}
TEXT = json.dumps(POLICY)
CALL = Call(
    ROLE,
    "kms:Encrypt",
    KEY,
    {
        "aws:PrincipalArn": ROLE,
        "aws:PrincipalAccount": HOME,
        "aws:SourceIp": "203.0.113.77",
        "kms:ViaService": "s3.eu-central-1.amazonaws.com",
        TENANT: "tenant-19",
    },
)


def seconds(work: Callable[[], object], times: int) -> float:
    """Seconds of one call, the median of nine rounds."""
    rounds = []
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(times):
            work()
        rounds.append((time.perf_counter() - start) / times)
    return statistics.median(rounds)


def decide(document: Any) -> object:
    """One decision in which all twenty statements are asked to their last condition."""
    return decide_kms(CALL, key_policy=document, identity_policies=[])


def measured() -> dict[str, float]:
    """Seconds of reading the policy's text, and of deciding by text and by object once it was read."""
    assert decide(TEXT) == decide(POLICY)
    return {
        "reading": seconds(lambda: json.loads(TEXT), 100),
        "by_text": seconds(lambda: decide(TEXT), 50),
        "by_object": seconds(lambda: decide(POLICY), 50),
    }


def test_deciding_costs_little_more_than_reading_the_policy(report: Report) -> None:
    """A decision by a policy that was read before costs at most six times one json.loads of its text."""
    # In a process of its own: measuring coverage slows our code and not the library's.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    plain["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(  # noqa: S603 - this interpreter, this file
        [sys.executable, __file__], capture_output=True, text=True, check=True, env=plain
    )
    cost = json.loads(done.stdout)
    ratio = {name: cost[name] / cost["reading"] for name in ("by_text", "by_object")}
    words = ", ".join(f"{name} {1 / cost[name]:,.0f}/s ({ratio[name]:.1f}x json.loads)" for name in ratio)
    report.append(("speed", [f"decisions by 20 statements: {words}"]))
    assert ratio["by_text"] < 6
    assert ratio["by_object"] < 8


if __name__ == "__main__":
    print(json.dumps(measured()))
