"""What a KMS grant allows: its operations, to its grantee, under its constraint."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from grant_broker.policy_engine import constraints
from grant_broker.policy_engine.calls import Call
from grant_broker.policy_engine.constraints import KeyCase
from grant_broker.policy_engine.principals import Caller
from grant_broker.policy_engine.templates import Context

Grant = Mapping[str, Any]
"""An entry of ListGrants. An entry with `Pending` true has not reached every endpoint: it counts only for
a call with its `GrantToken`."""

RETIRE = "kms:retiregrant"
_CREATE = "kms:creategrant"
_PREFIX = "kms:encryptioncontext:"
USES_OF_KEYS = (
    *("Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "GenerateDataKeyPair"),
    *("GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac"),
    *("Sign", "Verify", "GetPublicKey", "DeriveSharedSecret", "Encapsulate", "Decapsulate"),
)
"""The operations that a grant may list and that another account may call: KMS takes the same for both."""
# CreateGrant, "Operations": permissions of these names only, whatever else a grant might list.
_OPERATIONS = frozenset(
    f"kms:{name}".lower() for name in (*USES_OF_KEYS, "CreateGrant", "RetireGrant", "DescribeKey")
)
# KMS ignores constraints on the encryption context of these even where the grant lists them: they have none.
_WITHOUT_CONTEXT = frozenset({"kms:describekey", RETIRE})


class Use(NamedTuple):
    """A call as grants see it: the action in lower case, and the pairs that constraints compare."""

    call: Call
    action: str
    who: Caller
    context: Context
    pairs: Mapping[str, str]
    key_case: KeyCase

    @classmethod
    def of(cls, call: Call, who: Caller, context: Context, key_case: KeyCase) -> "Use":
        """A call by this caller; `context` is normalised."""
        pairs = call.encryption_context
        if pairs is None:
            pairs = {
                name[len(_PREFIX) :]: str(value)
                for name, value in call.context.items()
                if name.lower().startswith(_PREFIX)
            }
        return cls(call, call.action.lower(), who, context, pairs, key_case)


def find_allowing(grants: Sequence[Grant], asked: Use, *, identity_allows: bool) -> Grant | None:
    """The first grant that allows the call, or None."""
    return next((grant for grant in grants if _allows(grant, asked, identity_allows=identity_allows)), None)


def find_retirable(grants: Sequence[Grant], asked: Use, *, identity_allows: bool) -> Grant | None:
    """The first grant that the caller may retire, or None.

    A grant is retired by its retiring principal, by a grantee that was given RetireGrant, or for the account
    that created it (RetireGrant, "Required permissions").
    """

    def may(grant: Grant) -> bool:
        retiring = _is(grant.get("RetiringPrincipal"), asked.who, identity_allows=identity_allows)
        issuing = _is(grant.get("IssuingAccount"), asked.who, identity_allows=identity_allows)
        return _on_key(grant, asked) and (retiring or issuing)

    return next((grant for grant in grants if may(grant)), None) or find_allowing(
        grants, asked, identity_allows=identity_allows
    )


def _allows(grant: Grant, asked: Use, *, identity_allows: bool) -> bool:
    operations = _OPERATIONS.intersection(f"kms:{name}".lower() for name in grant.get("Operations", ()))
    return (
        asked.action in operations
        and _on_key(grant, asked)
        and _effective(grant, asked.call.grant_tokens)
        and _is(grant.get("GranteePrincipal"), asked.who, identity_allows=identity_allows)
        and (asked.action != _CREATE or _no_wider(operations, asked.context))
        and _meets(grant.get("Constraints") or {}, asked)
    )


def _on_key(grant: Grant, asked: Use) -> bool:
    key = grant.get("KeyId")
    return key is None or key in (asked.call.resource_arn, asked.call.resource_arn.rpartition("/")[2])


def _effective(grant: Grant, tokens: Sequence[str]) -> bool:
    return not grant.get("Pending") or grant.get("GrantToken") in tokens


def _is(principal: object, who: Caller, *, identity_allows: bool) -> bool:
    """Whether a grant's principal is the caller.

    An id (AROA…) is nobody here: it is a deleted principal's, or one's that is too new to be shown by its
    ARN, and the entry does not tell which.

    Reading, unconfirmed for grantees: a grant to an account's root leaves the choice to that account's IAM
    policies, as it does for the account that created the grant.
    """
    if principal in who.arns:
        return True
    return str(principal).endswith(f":iam::{who.account}:root") and identity_allows


def _no_wider(operations: frozenset[str], context: Context) -> bool:
    """A grantee that may create grants may pass on what it was given, no more."""
    wanted = context.get("kms:grantoperations", ())
    names = (wanted,) if isinstance(wanted, str) else wanted
    return bool(names) and operations.issuperset(f"kms:{name}".lower() for name in names)


def _meets(wanted: Mapping[str, object], asked: Use) -> bool:
    if asked.action != RETIRE and not constraints.for_source(wanted, asked.context.get("aws:sourcearn")):
        return False
    if asked.action in _WITHOUT_CONTEXT:
        return True
    if asked.action != _CREATE:
        return constraints.met(wanted, asked.pairs, asked.key_case)
    kind = asked.context.get("kms:grantconstrainttype")
    return constraints.no_weaker(wanted, asked.pairs, kind, asked.key_case)
