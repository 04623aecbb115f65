"""Who may do what: every call decided by the project's own engine."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from grant_broker.policy_engine import Call, Decision, KeyCase, Policy, Verdict, decide, decide_kms
from tests.local_aws.answers import AwsError
from tests.local_aws.identities import Credentials, Directory, request_context

_ACCOUNT = 4  # the field of an ARN


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
        self,
        caller: Credentials,
        action: str,
        resource: str,
        context: Mapping[str, object] | None = None,
        *,
        resource_policy: Mapping[str, Any] | None = None,
    ) -> None:
        """Raises AccessDeniedException where the caller may not call another service's operation so."""
        call = self.call(caller, action, resource, context)
        decision = decide(call, identity_policies=self._policies(caller), resource_policy=resource_policy)
        if not decision.allowed:
            raise denied(call, decision)

    def decide_kms(
        self,
        call: Call,
        caller: Credentials,
        key_policy: Policy,
        grants: Iterable[Mapping[str, Any]],
        key_case: KeyCase,
    ) -> Decision:
        """The decision on a call on a key."""
        return decide_kms(
            call,
            key_policy=key_policy,
            identity_policies=self._policies(caller),
            grants=list(grants),
            key_case=key_case,
        )

    def _policies(self, caller: Credentials) -> tuple[Policy, ...]:
        found = self.directory.behind(caller)
        return found.read if found else ()


def denied(call: Call, decision: Decision) -> AwsError:
    """AWS's words for a refusal, which name the side that refuses, or the first that is missing."""
    kind = decision.decided_by[0].kind if decision.decided_by else decision.missing
    if call.action.startswith("kms:") and _of_another_account(call) and kind != "identity_policy":
        return denied_elsewhere(call.principal_arn, call.action, call.resource_arn)
    side = "an identity-based policy" if kind == "identity_policy" else "a resource-based policy"
    if decision.verdict is Verdict.EXPLICITLY_DENIED:
        why = f"with an explicit deny in {side}"
    elif call.action == "sts:AssumeRole":
        why = ""
    else:
        why = f"because no {side.partition(' ')[2]} allows the {call.action} action"
    return _not_authorized(call.principal_arn, call.action, call.resource_arn, why)


def denied_elsewhere(caller_arn: str, action: str, resource_arn: str) -> AwsError:
    """AWS's words to a caller of another account, whom they do not tell what exists."""
    missing = "the resource does not exist in this Region, no resource-based policies allow access"
    why = f"because {missing}, or a resource-based policy explicitly denies access"
    return _not_authorized(caller_arn, action, resource_arn, why)


def _not_authorized(caller_arn: str, action: str, resource_arn: str, why: str) -> AwsError:
    words = f"User: {caller_arn} is not authorized to perform: {action} on resource: {resource_arn} {why}"
    return AwsError("AccessDeniedException", words.rstrip())


def _of_another_account(call: Call) -> bool:
    named = call.resource_arn.split(":")
    return len(named) > _ACCOUNT and named[_ACCOUNT] != call.principal_arn.split(":")[_ACCOUNT]


def with_encryption_context(call: Call, pairs: Mapping[str, str]) -> Call:
    """The call with these encryption context pairs."""
    context = {**call.context, **{f"kms:EncryptionContext:{key}": value for key, value in pairs.items()}}
    if pairs:
        context["kms:EncryptionContextKeys"] = list(pairs)
    return call._replace(context=context, encryption_context=dict(pairs))
