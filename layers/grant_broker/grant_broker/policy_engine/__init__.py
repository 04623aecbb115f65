"""KMS and IAM authorisation as AWS documents it: pure, without a clock, a network or a guess.

`decide_kms` decides calls on keys, `decide` those to other services.
"""

from grant_broker.policy_engine.calls import Call, Decision, Source, Verdict
from grant_broker.policy_engine.constraints import KeyCase
from grant_broker.policy_engine.decide import decide, decide_kms
from grant_broker.policy_engine.policies import Policy, parse_policy

__all__ = [
    "Call",
    "Decision",
    "KeyCase",
    "Policy",
    "Source",
    "Verdict",
    "decide",
    "decide_kms",
    "parse_policy",
]
