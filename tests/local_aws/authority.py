"""Who may do what: every call decided by the project's own engine."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from grant_broker.policy_engine import Call, Decision, Policy, Verdict, decide, decide_kms
from tests.local_aws.answers import AwsError
from tests.local_aws.identities import Credentials, Directory, request_context

_POLICY_KINDS = {"key_policy": "resource-based", "identity_policy": "identity-based"}


class Authority:
    """The engine, with what it needs to know of each caller."""

    def __init__(self, directory: Directory, clock: Callable[[], datetime], region: str) -> None:
        self.directory, self._clock, self._region = directory, clock, region

    def call(
        self, caller: Credentials, action: str, resource: str, context: Mapping[str, object] | None = None
    ) -> Call:
        """A call with its full request context."""
        now = self._clock()
        common = {
            "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:EpochTime": int(now.timestamp()),
            "aws:SourceIp": "127.0.0.1",
            # The local stack stands in for endpoints that speak TLS alone.
            "aws:SecureTransport": True,
            "aws:RequestedRegion": self._region,
        }
        whole = {**common, **request_context(self.directory, caller), **(context or {})}
        return Call(caller.arn, action, resource, whole)

    def require(
        self, caller: Credentials, action: str, resource: str, context: Mapping[str, object] | None = None,
        *, resource_policy: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Raises AccessDeniedException where the caller may not call another service's operation so."""
        call = self.call(caller, action, resource, context)
        decision = decide(call, identity_policies=self._policies(caller), resource_policy=resource_policy)
        if not decision.allowed:
            raise denied(call, decision)

    def decide_kms(
        self, call: Call, caller: Credentials, key_policy: Policy, grants: Iterable[Mapping[str, Any]]
    ) -> Decision:
        """The decision on a call on a key."""
        policies = self._policies(caller)
        return decide_kms(call, key_policy=key_policy, identity_policies=policies, grants=list(grants))

    def _policies(self, caller: Credentials) -> tuple[Policy, ...]:
        found = self.directory.behind(caller)
        return found.read if found else ()


def denied(call: Call, decision: Decision) -> AwsError:
    """AWS's words for a refusal."""
    who = f"User: {call.principal_arn} is not authorized to perform: {call.action}"
    who += f" on resource: {call.resource_arn}"
    if decision.verdict is Verdict.EXPLICITLY_DENIED:
        kind = _POLICY_KINDS[decision.decided_by[0].kind]
        return AwsError("AccessDeniedException", f"{who} with an explicit deny in a {kind} policy")
    also = ", resource-based policy or grant" if call.action.startswith("kms:") else ""
    words = f"because no identity-based policy{also} allows the {call.action} action"
    return AwsError("AccessDeniedException", f"{who} {words}")


def with_encryption_context(call: Call, pairs: Mapping[str, str]) -> Call:
    """The call with these encryption context pairs."""
    context = {**call.context, **{f"kms:EncryptionContext:{key}": value for key, value in pairs.items()}}
    if pairs:
        context["kms:EncryptionContextKeys"] = list(pairs)
    return replace(call, context=context, encryption_context=dict(pairs))
