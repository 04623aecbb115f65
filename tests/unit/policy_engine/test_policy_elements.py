"""Policies and grants whose elements are unusual, with the verdicts that AWS documents for them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grant_broker.policy_engine import Call, decide_kms

_HERE = Path(__file__).resolve().parent
_ALL = _HERE.parents[3] / "shared" / "cases" / "policy-elements.jsonl"
_SAMPLE = _HERE / "policy-elements-sample.jsonl"


def _cases() -> Iterator[Any]:
    """The cases kept here, and those of the full file where it stands beside the checkout."""
    for file in (_SAMPLE, _ALL):
        if file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                case = json.loads(line)
                yield pytest.param(case, id=case["id"])


@pytest.mark.parametrize("case", list(_cases()))
def test_every_case_gets_its_verdict(case: dict[str, Any]) -> None:
    """The engine agrees with the case, and understands all of it."""
    pairs = case.get("encryption_context")
    call = Call(case["principal_arn"], case["action"], case["key_arn"], case["context"], pairs)
    decision = decide_kms(
        call,
        key_policy=case["key_policy"],
        identity_policies=case["identity_policies"],
        grants=case.get("grants", []),
    )
    assert decision.verdict == case["expected"], decision.reason
    assert not decision.unknown
