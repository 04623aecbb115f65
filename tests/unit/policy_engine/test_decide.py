"""How key policy, identity policies and grants combine (AWS KMS, "Determining access")."""

import re

import botocore.session
import pytest

from grant_broker.policy_engine import Call, Decision, Source, decide
from tests.unit.policy_engine.calls import (
    ALLOWED,
    EVERYTHING,
    EXPLICIT,
    HOME,
    IMPLICIT,
    KEY,
    NOTHING,
    PARTNER,
    PARTNER_ROLE,
    PARTNER_ROOT,
    ROLE,
    ROOT,
    SESSION,
    USER,
    call,
    decided,
    naming,
    policy,
    statement,
    verdict,
)

GRANT = {"GrantId": "g-1", "GranteePrincipal": ROLE, "Operations": ["Encrypt"]}


def test_key_policy_naming_the_caller_suffices_at_home() -> None:
    """In the key's account a key policy that names the caller needs no IAM policy."""
    decision = decided(key_policy=naming(ROLE, Sid="Use"))
    assert decision.allowed
    assert decision.reason == 'Statement "Use" of the key policy allows it to the caller.'
    assert decision.decided_by == (Source("key_policy", sid="Use"),)


def test_delegation_needs_both() -> None:
    """Where the key policy names the account, it and an identity policy must both allow."""
    decision = decided(key_policy=naming(ROOT, Sid="Account"), identity=(EVERYTHING,))
    assert decision.allowed
    through = 'Statement "Account" of the key policy lets it through'
    assert decision.reason == f"{through} and statement 1 of identity policy 1 allows it."
    assert decision.decided_by == (Source("key_policy", sid="Account"), Source("identity_policy"))
    without = decided(key_policy=naming(ROOT, Sid="Account"))
    assert without.verdict is IMPLICIT
    assert without.reason == f"{through}, but no identity policy allows it."


def test_identity_policy_alone_allows_nothing() -> None:
    """IAM cannot open a key that its key policy does not delegate."""
    decision = decided(identity=(EVERYTHING,))
    assert (decision.verdict, decision.decided_by) == (IMPLICIT, ())
    assert (
        decision.reason == "No statement of the key policy lets it through, though an identity policy does."
    )
    assert decided().reason == "No statement of the key policy lets it through."


def test_delegation_is_per_action() -> None:
    """The delegating statement must itself speak of the action and hold."""
    assert verdict(key_policy=naming(ROOT, Action="kms:Decrypt"), identity=(EVERYTHING,)) is IMPLICIT


@pytest.mark.parametrize("principal", [PARTNER_ROLE, PARTNER_ROOT, PARTNER, "*"])
def test_another_account_needs_both(principal: str) -> None:
    """A caller of another account needs the key policy and its own account's IAM, however it is named."""
    asked = call(PARTNER_ROLE)
    assert verdict(asked, naming(principal)) is IMPLICIT
    assert verdict(asked, NOTHING, (EVERYTHING,)) is IMPLICIT
    assert verdict(asked, naming(ROOT), (EVERYTHING,)) is IMPLICIT
    assert verdict(asked, naming(principal), (EVERYTHING,)) is ALLOWED


def test_keys_are_administered_from_their_own_account() -> None:
    """Operations without cross-account use stay refused, whatever the policies say."""
    asked = call(PARTNER_ROLE, "kms:PutKeyPolicy")
    decision = decided(asked, naming(PARTNER_ROLE), (EVERYTHING,))
    assert decision.verdict is IMPLICIT
    assert decision.reason == "KMS has no kms:PutKeyPolicy on the key of another account."
    assert verdict(call(ROLE, "kms:PutKeyPolicy"), naming(ROLE)) is ALLOWED


def test_operations_of_other_accounts_are_those_of_the_api_model() -> None:
    """Exactly the operations whose documentation says so are open to another account."""
    model = botocore.session.get_session().get_service_model("kms")
    documented = {
        name
        for name in model.operation_names
        if re.search(r"Cross-account use\W.{0,9}\WYes", model.operation_model(name).documentation)
    }
    # ReEncrypt is two permissions; who retires a grant is decided by the grant.
    expected = documented - {"ReEncrypt", "RetireGrant"} | {"ReEncryptFrom", "ReEncryptTo"}
    actions = {*model.operation_names, "ReEncryptFrom", "ReEncryptTo"}
    allowed = {
        name
        for name in actions
        if verdict(call(PARTNER_ROLE, f"kms:{name}"), naming(PARTNER_ROLE), (EVERYTHING,)) is ALLOWED
    }
    assert "Encrypt" in documented
    assert allowed == expected


@pytest.mark.parametrize(
    ("asked", "key_policy", "missing"),
    [
        (call(), NOTHING, "key_policy"),
        (call(), naming(ROOT), "identity_policy"),
        (call(), naming(ROLE), None),
        (call(), naming(ROLE, "Deny"), None),
        (call(PARTNER_ROLE), naming(PARTNER_ROLE), "identity_policy"),
        (call(PARTNER_ROLE, "kms:PutKeyPolicy"), naming(PARTNER_ROLE), "key_policy"),
        (call(action="kms:RetireGrant"), naming(ROLE), "grant"),
    ],
)
def test_missing_side(asked: Call, key_policy: object, missing: str | None) -> None:
    """An implicit Deny names what would have to allow the call; another verdict names nothing."""
    assert decided(asked, key_policy).missing == missing


@pytest.mark.parametrize("caller", [ROOT, PARTNER_ROOT])
def test_root_user_needs_no_identity_policy(caller: str) -> None:
    """The root user may what the key policy lets its account do."""
    decision = decided(call(caller), naming(caller))
    assert decision.allowed
    assert decision.reason == "Statement 1 of the key policy allows it to the account, whose root user calls."
    assert verdict(call(caller), NOTHING) is IMPLICIT


@pytest.mark.parametrize("denied_by", ["key policy", "identity policy 2"])
def test_deny_wins_over_everything(denied_by: str) -> None:
    """One Deny in either place wins over key policy, identity policy and grant; IAM's without delegation."""
    deny = statement("Deny", Sid="No")
    key_statements = [statement(Principal={"AWS": ROLE})]
    if denied_by == "key policy":
        key_statements.append({**deny, "Principal": "*"})
    identity = (EVERYTHING, policy(deny) if denied_by != "key policy" else EVERYTHING)
    decision = decided(key_policy=policy(*key_statements), identity=identity, grants=[GRANT])
    assert decision.verdict is EXPLICIT
    where = "the key policy" if denied_by == "key policy" else denied_by
    assert decision.reason == f'Statement "No" of {where} denies it.'
    assert [source.effect for source in decision.decided_by] == ["Deny"]
    assert verdict(identity=(policy(deny),)) is EXPLICIT


def test_every_deny_is_named() -> None:
    """All Denies that apply are reported, so that mending one is not mistaken for mending all."""
    denies = policy(statement("Deny", Sid="A", Principal="*"), statement("Deny", Sid="B", Principal="*"))
    assert [source.sid for source in decided(key_policy=denies).decided_by] == ["A", "B"]


def test_grant_suffices_alone() -> None:
    """A grant needs no policy, at home or across accounts."""
    decision = decided(grants=[GRANT])
    assert decision.allowed
    assert decision.reason == "Grant g-1 allows it."
    assert decision.decided_by == (Source("grant", grant_id="g-1"),)
    assert verdict(call(PARTNER_ROLE), grants=[{**GRANT, "GranteePrincipal": PARTNER_ROLE}]) is ALLOWED


BUCKET = "arn:aws:s3:::data"
TABLE = f"arn:aws:dynamodb:eu-central-1:{HOME}:table/requests"


def other(
    principal: str, resource: str = TABLE, action: str = "dynamodb:GetItem", **context: str
) -> Decision:
    """A call to another service that an identity policy allows and the resource's policy does not."""
    identity = policy(statement(Action="*"))
    asked = call(principal, action, resource=resource, context=context)
    return decide(asked, identity_policies=[identity])


def test_other_services_take_either_at_home() -> None:
    """In the resource's account an identity policy suffices, or a resource policy that names the caller."""
    assert other(ROLE).reason == "Statement 1 of identity policy 1 allows it."
    named = naming(ROLE, Action="dynamodb:*")
    delegated = naming(ROOT, Action="dynamodb:*")
    asked = call(ROLE, "dynamodb:GetItem", resource=TABLE)
    assert decide(asked, identity_policies=[], resource_policy=named).allowed
    assert decide(asked, identity_policies=[], resource_policy=delegated).verdict is IMPLICIT
    assert decide(asked, identity_policies=[]).verdict is IMPLICIT


def test_other_services_take_both_across_accounts() -> None:
    """From another account the resource's policy and an identity policy must both allow."""
    identity = policy(statement(Action="*"))
    named = naming(PARTNER_ROLE, Action="dynamodb:*")
    asked = call(PARTNER_ROLE, "dynamodb:GetItem", resource=TABLE)
    assert other(PARTNER_ROLE).verdict is IMPLICIT
    assert decide(asked, identity_policies=[], resource_policy=named).verdict is IMPLICIT
    assert decide(asked, identity_policies=[identity], resource_policy=named).allowed


@pytest.mark.parametrize("where", ["identity", "resource"])
def test_other_services_deny(where: str) -> None:
    """A Deny wins in other services too."""
    identity = [policy(statement(Action="*"))]
    resource = naming("*", "Deny" if where == "resource" else "Allow", Action="*")
    if where == "identity":
        identity.append(policy(statement("Deny", Action="*")))
    asked = call(ROLE, "dynamodb:GetItem", resource=TABLE)
    assert decide(asked, identity_policies=identity, resource_policy=resource).verdict is EXPLICIT


def test_root_user_of_other_services() -> None:
    """The root user may everything in its own account and nothing by itself in another."""
    at_home = decide(call(ROOT, "dynamodb:GetItem", resource=TABLE), identity_policies=[])
    assert (at_home.verdict, at_home.decided_by) == (ALLOWED, ())
    assert at_home.reason == "The account's root user may do what its account may."
    abroad = decide(call(PARTNER_ROOT, "dynamodb:GetItem", resource=TABLE), identity_policies=[])
    assert abroad.verdict is IMPLICIT


def test_account_of_an_arn_without_one() -> None:
    """Where the ARN names no account, aws:ResourceAccount does, else it is the caller's own."""
    assert other(PARTNER_ROLE, BUCKET, "s3:GetObject").allowed
    foreign = {"aws:ResourceAccount": HOME}
    assert other(PARTNER_ROLE, BUCKET, "s3:GetObject", **foreign).verdict is IMPLICIT
    assert other(ROLE, "*", "dynamodb:ListTables").allowed


def test_trust_policy_is_always_needed() -> None:
    """An identity policy alone assumes no role, even in the role's own account."""
    asked = call(USER, "sts:AssumeRole", resource=ROLE)
    identity = policy(statement(Action="sts:*"))
    trust = policy({"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"})
    delegating = policy({"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"})
    assert decide(asked, identity_policies=[identity]).verdict is IMPLICIT
    assert decide(asked, identity_policies=[], resource_policy=trust).allowed
    assert decide(asked, identity_policies=[], resource_policy=delegating).verdict is IMPLICIT
    assert decide(asked, identity_policies=[identity], resource_policy=delegating).allowed


def test_session_in_a_console_policy() -> None:
    """AWS's default key policy leaves everything to IAM: the key's own reader needs its IAM policy."""
    default = naming(ROOT, Sid="Enable IAM User Permissions")
    read = policy(statement(Action="kms:Decrypt", Resource=KEY))
    assert verdict(call(SESSION, "kms:Decrypt"), default, (read,)) is ALLOWED
    assert verdict(call(SESSION, "kms:Encrypt"), default, (read,)) is IMPLICIT
