"""Why KMS allows or refuses one call, as far as one request's grant decides it: pure, without a call."""

from grant_broker.access_report.why.explain import explain
from grant_broker.access_report.why.judged_call import JudgedCall
from grant_broker.access_report.why.refusal import Refusal, read_refusal

__all__ = ["JudgedCall", "Refusal", "explain", "read_refusal"]
