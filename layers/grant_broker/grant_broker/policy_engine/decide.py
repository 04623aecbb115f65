"""How policies and grants combine into a verdict."""

from collections.abc import Sequence

from grant_broker.policy_engine import grants as by_grant
from grant_broker.policy_engine.applying import ApplyingStatement, ApplyingStatements, Document
from grant_broker.policy_engine.calls import Call, Decision, Source, SourceKind, Verdict
from grant_broker.policy_engine.constraints import KeyCase
from grant_broker.policy_engine.templates import Context

# KMS's permissions table, "Cross-account use": every other operation stays within the key's own account.
_CROSS_ACCOUNT = frozenset(
    f"kms:{name}".lower()
    for name in (
        *by_grant.USES_OF_KEYS,
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
    key_case: KeyCase = KeyCase.IGNORED,
) -> Decision:
    """Decide a call on a KMS key.

    A Deny anywhere wins, over grants too. Else a grant allows; or the key policy naming the caller, in the
    key's account; or the key policy naming the account together with the account's IAM policies; from
    another account always both. For RetireGrant, which a key policy cannot give, `grants` are those to be
    retired. `key_case` is how grants' constraints compare keys. Raises ValueError for a policy or a
    principal that AWS would not take.
    """
    applying = ApplyingStatements.of(call)
    retiring = call.action.lower() == by_grant.RETIRE
    if not retiring:
        applying.read_key_policy(key_policy)
    applying.read_identity_policies(identity_policies)
    if applying.denying:
        return _denied(applying)
    find = by_grant.find_retirable if retiring else by_grant.find_allowing
    asked = by_grant.Use.of(call, applying.who, applying.context, key_case)
    if (grant := find(grants, asked, identity_allows=applying.identity_allows)) is not None:
        return _granted(applying, str(grant.get("GrantId")))
    if retiring:
        return _refused(applying, "The caller is none of those who may retire the grant", "grant")
    same_account = applying.who.account == _account(call, applying.context)
    if not same_account and call.action.lower() not in _CROSS_ACCOUNT:
        words = f"KMS has no {call.action} on the key of another account"
        return _refused(applying, words, "key_policy")
    return _by_policies(applying, "key policy", same_account=same_account)


def decide(
    call: Call, *, identity_policies: Sequence[Document], resource_policy: Document | None = None
) -> Decision:
    """Decide a call to any other service.

    A Deny anywhere wins. Else, in the resource's account, an identity policy allows or the resource's
    policy naming the caller; from another account both must. A role's trust policy is always needed.
    Raises ValueError for a policy or a principal that AWS would not take.
    """
    applying = ApplyingStatements.of(call)
    if resource_policy is not None:
        applying.read_resource_policy(resource_policy)
    applying.read_identity_policies(identity_policies)
    if applying.denying:
        return _denied(applying)
    same_account = applying.who.account == _account(call, applying.context)
    either = same_account and call.action.lower() not in _TRUST
    if either and applying.identity_allows:
        return _by_identity(applying)
    decision = _by_policies(applying, "resource policy", same_account=same_account)
    # Where either suffices, it is the identity policy that one would expect: most resources have none.
    return decision._replace(missing="identity_policy") if either and decision.missing else decision


def _account(call: Call, context: Context) -> str:
    """The resource's account: in its ARN, or in the context where the ARN has none (S3, or `*`)."""
    fields = call.resource_arn.split(":", 5)
    named = fields[4] if len(fields) > 4 else ""  # noqa: PLR2004 - an ARN's account is its fifth field
    return named or str(context.get("aws:resourceaccount", call.principal_arn.split(":")[4]))


def _by_policies(applying: ApplyingStatements, name: str, *, same_account: bool) -> Decision:
    """Weigh a resource's policy that must let the call through, with the caller's IAM policies."""
    if applying.direct and same_account:
        return _allowed(applying, [applying.direct], f"{applying.direct.words} allows it to the caller")
    naming = applying.direct or applying.delegating
    if naming is None:
        also = ", though an identity policy does" if applying.identity else ""
        return _refused(applying, f"No statement of the {name} lets it through{also}", "key_policy")
    if not applying.identity_allows:
        words = f"{naming.words} lets it through, but no identity policy allows it"
        return _refused(applying, words, "identity_policy")
    if applying.identity is None:
        return _allowed(applying, [naming], f"{naming.words} allows it to the account, whose root user calls")
    words = f"{naming.words} lets it through and {applying.identity.words} allows it"
    return _allowed(applying, [naming, applying.identity], words)


def _by_identity(applying: ApplyingStatements) -> Decision:
    if applying.identity is None:
        return _allowed(applying, [], "the account's root user may do what its account may")
    return _allowed(applying, [applying.identity], f"{applying.identity.words} allows it")


def _denied(applying: ApplyingStatements) -> Decision:
    sources = tuple(each.source for each in applying.denying)
    words = f"{applying.denying[0].words} denies it"
    return Decision(Verdict.EXPLICITLY_DENIED, _sentence(applying, words), sources, tuple(applying.unknown))


def _allowed(applying: ApplyingStatements, by: Sequence[ApplyingStatement], words: str) -> Decision:
    sources = tuple(each.source for each in by)
    return Decision(Verdict.ALLOWED, _sentence(applying, words), sources, tuple(applying.unknown))


def _granted(applying: ApplyingStatements, grant_id: str) -> Decision:
    source = Source("grant", grant_id=grant_id)
    words = f"grant {grant_id} allows it"
    return Decision(Verdict.ALLOWED, _sentence(applying, words), (source,), tuple(applying.unknown))


def _refused(applying: ApplyingStatements, words: str, missing: SourceKind) -> Decision:
    reason = _sentence(applying, words)
    return Decision(Verdict.IMPLICITLY_DENIED, reason, (), tuple(applying.unknown), missing)


def _sentence(applying: ApplyingStatements, words: str) -> str:
    not_understood = f" (not understood: {', '.join(applying.unknown)})" if applying.unknown else ""
    return f"{_first_upper(words)}{not_understood}."


def _first_upper(words: str) -> str:
    return words[:1].upper() + words[1:]
