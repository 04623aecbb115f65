"""KMS and IAM authorisation as AWS documents it: pure, without a clock, a network or a guess.

`decide_kms` decides calls on keys, `decide` those to other services.
"""

from grant_broker.domain.authorisation.decisions import Call, Decision, Source, Verdict
from grant_broker.domain.authorisation.policies import Policy, parse_policy
from grant_broker.domain.authorisation.rules import decide, decide_kms

__all__ = ["Call", "Decision", "Policy", "Source", "Verdict", "decide", "decide_kms", "parse_policy"]
