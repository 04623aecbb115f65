"""KMS authorisation cases whose verdicts an independent policy engine computed."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grant_broker.policy_engine import Call, Verdict, decide_kms
from tests.support.reports import Report

_HERE = Path(__file__).resolve().parent
_ALL = _HERE.parents[3] / "shared" / "policy-vectors.jsonl.gz"
_SAMPLE = _HERE / "policy-vectors-sample.jsonl.gz"


def cases() -> Iterator[dict[str, Any]]:
    """Every case where the full file stands beside the checkout, else the sample kept here."""
    with gzip.open(_ALL if _ALL.exists() else _SAMPLE, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def verdict(case: dict[str, Any]) -> Verdict:
    """What the engine says of a case."""
    call = Call(case["principal_arn"], case["action"], case["key_arn"], case["context"])
    policies = case["identity_policies"]
    decision = decide_kms(call, key_policy=case["key_policy"], identity_policies=policies)
    assert decision.reason.endswith(".")
    assert not decision.unknown, case["id"]
    assert bool(decision.decided_by) == (decision.verdict is not Verdict.IMPLICITLY_DENIED)
    return decision.verdict


def test_every_vector_gets_its_verdict(report: Report) -> None:
    """The engine agrees with every case; the share of agreement is printed per verdict."""
    seen, agreed, wrong = Counter[str](), Counter[str](), []
    for case in cases():
        seen[case["expected"]] += 1
        if verdict(case) == case["expected"]:
            agreed[case["expected"]] += 1
        else:
            wrong.append(case["id"])
    shares = ", ".join(f"{name}: {agreed[name]} of {count}" for name, count in sorted(seen.items()))
    report.append(("policy vectors decided as expected", [shares]))
    assert set(seen) == set(Verdict)
    assert wrong == []
