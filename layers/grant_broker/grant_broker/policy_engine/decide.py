"""How policies and grants combine into a verdict."""

from collections.abc import Sequence

from grant_broker.policy_engine import grants as by_grant
from grant_broker.policy_engine.applying import Document, Finding, Findings
from grant_broker.policy_engine.calls import Call, Decision, Source, Verdict
from grant_broker.policy_engine.conditions import normalise
from grant_broker.policy_engine.principals import caller
from grant_broker.policy_engine.templates import Context

# KMS's permissions table, "Cross-account use": every other operation stays within the key's own account.
_CROSS_ACCOUNT = frozenset(
    f"kms:{name}".lower()
    for name in (
        *("Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "GenerateDataKeyPair"),
        *(
            "GenerateDataKeyWithoutPlaintext",
            "GenerateDataKeyPairWithoutPlaintext",
            "GenerateMac",
            "VerifyMac",
        ),
        *("Sign", "Verify", "GetPublicKey", "DeriveSharedSecret", "Encapsulate", "Decapsulate"),
        *("CreateGrant", "ListGrants", "RevokeGrant", "DescribeKey", "GetKeyRotationStatus"),
    )
)
# Who may assume a role is for its trust policy to say, as a key's use is for its key policy.
_TRUST = frozenset({"sts:assumerole", "sts:tagsession", "sts:setsourceidentity"})


def decide_kms(
    call: Call,
    *,
    key_policy: Document,
    identity_policies: Sequence[Document],
    grants: Sequence[by_grant.Grant] = (),
) -> Decision:
    """Decide a call on a KMS key.

    A Deny anywhere wins, over grants too. Else a grant allows; or the key policy naming the caller, in the
    key's account; or the key policy naming the account together with the account's IAM policies; from
    another account always both. For RetireGrant, which a key policy cannot give, `grants` are those to be
    retired. Raises ValueError for a policy or a principal that AWS would not take.
    """
    found = _findings(call)
    retiring = call.action.lower() == by_grant.RETIRE
    if not retiring:
        found.read_resource_policy(key_policy, "key policy")
    found.read_identity_policies(identity_policies)
    if found.denying:
        return _denied(found)
    choose = by_grant.retirable if retiring else by_grant.allowing
    asked = by_grant.use(call, found.who, found.context)
    if (grant := choose(grants, asked, identity_allows=found.identity_allows)) is not None:
        return _granted(found, str(grant.get("GrantId")))
    if retiring:
        return _refused(found, "The caller is none of those who may retire the grant")
    same_account = found.who.account == _account(call, found.context)
    if not same_account and call.action.lower() not in _CROSS_ACCOUNT:
        return _refused(found, f"KMS has no {call.action} on the key of another account")
    return _by_policies(found, "key policy", same_account=same_account)


def decide(
    call: Call, *, identity_policies: Sequence[Document], resource_policy: Document | None = None
) -> Decision:
    """Decide a call to any other service.

    A Deny anywhere wins. Else, in the resource's account, an identity policy allows or the resource's
    policy naming the caller; from another account both must. A role's trust policy is always needed.
    Raises ValueError for a policy or a principal that AWS would not take.
    """
    found = _findings(call)
    if resource_policy is not None:
        found.read_resource_policy(resource_policy, "resource policy")
    found.read_identity_policies(identity_policies)
    if found.denying:
        return _denied(found)
    same_account = found.who.account == _account(call, found.context)
    if same_account and call.action.lower() not in _TRUST and found.identity_allows:
        return _by_identity(found)
    return _by_policies(found, "resource policy", same_account=same_account)


def _findings(call: Call) -> Findings:
    context = normalise(call.context)
    return Findings(call, caller(call.principal_arn, context), context)


def _account(call: Call, context: Context) -> str:
    """The resource's account: in its ARN, or in the context where the ARN has none (S3, or `*`)."""
    fields = call.resource_arn.split(":", 5)
    named = fields[4] if len(fields) > 4 else ""  # noqa: PLR2004 - an ARN's account is its fifth field
    return named or str(context.get("aws:resourceaccount", call.principal_arn.split(":")[4]))


def _by_policies(found: Findings, name: str, *, same_account: bool) -> Decision:
    """Weigh a resource's policy that must let the call through, with the caller's IAM policies."""
    if found.direct and same_account:
        return _allowed(found, [found.direct], f"{found.direct.words} allows it to the caller")
    naming = found.direct or found.delegating
    if naming is None:
        also = ", though an identity policy does" if found.identity else ""
        return _refused(found, f"No statement of the {name} lets it through{also}")
    if not found.identity_allows:
        return _refused(found, f"{naming.words} lets it through, but no identity policy allows it")
    if found.identity is None:
        return _allowed(found, [naming], f"{naming.words} allows it to the account, whose root user calls")
    words = f"{naming.words} lets it through and {found.identity.words} allows it"
    return _allowed(found, [naming, found.identity], words)


def _by_identity(found: Findings) -> Decision:
    if found.identity is None:
        return _allowed(found, [], "the account's root user may do what its account may")
    return _allowed(found, [found.identity], f"{found.identity.words} allows it")


def _denied(found: Findings) -> Decision:
    sources = tuple(each.source for each in found.denying)
    words = f"{found.denying[0].words} denies it"
    return Decision(Verdict.EXPLICITLY_DENIED, _sentence(found, words), sources, tuple(found.unknown))


def _allowed(found: Findings, by: Sequence[Finding], words: str) -> Decision:
    sources = tuple(each.source for each in by)
    return Decision(Verdict.ALLOWED, _sentence(found, words), sources, tuple(found.unknown))


def _granted(found: Findings, grant_id: str) -> Decision:
    source = Source("grant", grant_id=grant_id)
    words = f"grant {grant_id} allows it"
    return Decision(Verdict.ALLOWED, _sentence(found, words), (source,), tuple(found.unknown))


def _refused(found: Findings, words: str) -> Decision:
    return Decision(Verdict.IMPLICITLY_DENIED, _sentence(found, words), (), tuple(found.unknown))


def _sentence(found: Findings, words: str) -> str:
    not_understood = f" (not understood: {', '.join(found.unknown)})" if found.unknown else ""
    return f"{_first_upper(words)}{not_understood}."


def _first_upper(words: str) -> str:
    return words[:1].upper() + words[1:]
