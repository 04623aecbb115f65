"""Which key a KMS call means, and whether its caller may make it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.authority import Authority, denied, denied_elsewhere, with_encryption_context
from tests.local_aws.identities import Credentials, Directory
from tests.local_aws.kms.grants import Grant, Grants
from tests.local_aws.kms.key_policies import KeyPolicy
from tests.local_aws.kms.keys import Key, Keys, MissingElsewhereError
from tests.local_aws.kms.propagation import Propagation
from tests.local_aws.kms.readings import Readings

# KMS ignores a grant's constraint on these: they have no encryption context.
_UNCONSTRAINED = frozenset({"DescribeKey", "RetireGrant"})


@dataclass(frozen=True)
class KmsCall:
    """One call to KMS, its parameters checked against KMS's shapes, nulls left out."""

    caller: Credentials
    operation: str
    parameters: Mapping[str, Any]

    def conclude(self, answer: Callable[[], Mapping[str, Any]]) -> Response:
        """Do it and answer, or say that it would have been done: nothing fails after this."""
        if self.parameters.get("DryRun"):
            words = "The request would have succeeded, but the DryRun option is set."
            raise AwsError("DryRunOperationException", words)
        return ok(answer())


@dataclass(frozen=True)
class Asked:
    """What an operation asks of a key besides its name: action, encryption context, condition keys."""

    action: str
    pairs: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, object] = field(default_factory=dict)


class Access:
    """Keys, grants and the engine, together."""

    def __init__(
        self, authority: Authority, keys: Keys, propagation: Propagation, readings: Readings
    ) -> None:
        self.authority, self.keys, self.grants = authority, keys, Grants()
        self.propagation, self.readings = propagation, readings

    def forget_ended(self) -> None:
        """Forget the grants whose end has spread."""
        for key, grant in self.propagation.take_forgotten():
            self.grants.forget(key, grant)

    @property
    def directory(self) -> Directory:
        """All principals."""
        return self.authority.directory

    def key(
        self, call: KmsCall, name: str = "KeyId", *, aliases: bool = False, action: str | None = None
    ) -> Key:
        """The key that a parameter names; `action` is what for, where it is not the operation."""
        try:
            return self.keys.find(call.caller.account, call.parameters[name], aliases=aliases)
        except MissingElsewhereError as error:
            # Of another account's keys nobody learns which ones exist.
            raise denied_elsewhere(call.caller.arn, f"kms:{action or call.operation}", error.arn) from error

    def require(self, call: KmsCall, key: Key, asked: Asked, policy: KeyPolicy | None = None) -> None:
        """Raises AccessDeniedException unless policies or a grant allow it; `policy` replaces the key's."""
        self._check_tokens(call)
        grants = [self.decided_by(grant) for grant in self._candidates(call, key, asked)]
        self._decide(call, key, asked, grants, policy or key.policy)

    def require_retiring(self, call: KmsCall, key: Key, grant: Grant) -> None:
        """Raises AccessDeniedException unless the caller may retire the grant."""
        self._decide(call, key, Asked("RetireGrant"), [self.decided_by(grant)], key.policy)

    def _decide(
        self, call: KmsCall, key: Key, asked: Asked, grants: Sequence[Mapping[str, Any]], policy: KeyPolicy
    ) -> None:
        context = {
            **key.context(),
            "kms:CallerAccount": call.caller.account,
            "aws:ResourceAccount": key.account,
            **asked.context,
        }
        wanted = self.authority.call(call.caller, f"kms:{asked.action}", key.arn, context)
        wanted = with_encryption_context(wanted, asked.pairs)
        decision = self.authority.decide_kms(
            wanted, call.caller, policy.read, grants, self.readings.constraint_keys
        )
        if not decision.allowed:
            raise denied(wanted, decision)

    def require_keyless(
        self,
        call: KmsCall,
        action: str = "",
        resource: str = "*",
        context: Mapping[str, object] | None = None,
    ) -> None:
        """Raises AccessDeniedException unless identity policies allow an operation that has no key."""
        own = {"kms:CallerAccount": call.caller.account, **(context or {})}
        self.authority.require(call.caller, f"kms:{action or call.operation}", resource, own)

    def _candidates(self, call: KmsCall, key: Key, asked: Asked) -> list[Grant]:
        constrained = asked.action not in _UNCONSTRAINED
        passed = {self.grants.tokens[token][1] for token in call.parameters.get("GrantTokens", [])}
        counts = partial(self.propagation.knows, passed=passed)
        found: list[Grant] = []
        for name in self._names(call.caller):
            if grantee := key.grants.by_grantee.get(name):
                found += grantee.candidates(asked.action, asked.pairs, constrained=constrained, counts=counts)
        return found

    def _names(self, caller: Credentials) -> list[str]:
        """Under which ids grants name the caller: its account, its role or user, and its session."""
        mine = self.directory.resolve(caller.arn) or ""
        return list(dict.fromkeys([f"arn:aws:iam::{caller.account}:root", mine.split(":")[0], mine]))

    def _check_tokens(self, call: KmsCall) -> None:
        # Only that a token was ever given out: it makes its grant count that has not spread yet, no more.
        if not set(call.parameters.get("GrantTokens", [])) <= self.grants.tokens.keys():
            raise AwsError("InvalidGrantTokenException", "The grant token is not valid.")

    def decided_by(self, grant: Grant) -> dict[str, Any]:
        """A grant as it decides; a principal that is gone appears as its unique id, which is nobody."""
        return self._entry(grant, self._is)

    def shown(self, grant: Grant) -> dict[str, Any]:
        """A grant as listed: as it decides, but that a new principal may appear as its id as well."""
        return self._entry(grant, self._is_known_as)

    def _entry(self, grant: Grant, called: Callable[[str, str], bool]) -> dict[str, Any]:
        answer = dict(grant.shown)
        for name, was in (("GranteePrincipal", grant.grantee_id), ("RetiringPrincipal", grant.retiring_id)):
            if was and name in answer and not called(answer[name], was):
                answer[name] = was.split(":")[0]
        return answer

    def _is(self, arn: str, unique_id: str) -> bool:
        return self.directory.resolve(arn) == unique_id

    def _is_known_as(self, arn: str, unique_id: str) -> bool:
        young = self.directory.younger(arn, self.readings.ids_shown_for)
        return self._is(arn, unique_id) and not young


def alias_context(call: KmsCall, name: str = "KeyId") -> dict[str, object]:
    """kms:RequestAlias, where the call names its key by an alias."""
    named = str(call.parameters.get(name, ""))
    prefix = "alias/" if named.startswith("alias/") else ":alias/"
    return {"kms:RequestAlias": "alias/" + named.split("alias/", 1)[1]} if prefix in named else {}
