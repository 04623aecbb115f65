"""Every refusal of the strict KMS is explained by what KMS refuses it for; nothing allowed as refused."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from grant_broker.access_report.why import JudgedCall, explain
from grant_broker.aws.kms import listed_grant
from grant_broker.domain.cause import Cause, Explanation
from grant_broker.domain.question import Question
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.scope import ContextMatch, Scope
from grant_broker.keys.policy_weighing import Surroundings, weigh
from grant_broker.policy_engine import Decision, KeyCase, Verdict
from tests.integration.local_aws.world import HOME, PARTNER, START, World, naming, policy, root, statement
from tests.support.records import request as record

_OPERATIONS = ("Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "DescribeKey")
_WHO = ("partner", "partner/other", "stranger", "home")
_CONTEXT = {"tenant": "a", "purpose": "export"}
_CONTEXTS: tuple[dict[str, str], ...] = (
    _CONTEXT,
    {},
    {"tenant": "a"},
    {"tenant": "A", "purpose": "export"},
    {"Tenant": "a", "purpose": "export"},
    {**_CONTEXT, "more": "x"},
)
_CASE_ALONE = _CONTEXTS[4]
_ISSUED = START - timedelta(hours=1)
# What each cause says is wrong with the call, as fields of a Situation.
_MEANS = {
    Cause.ANOTHER_PRINCIPAL: {"caller"},
    Cause.OPERATION_NOT_GRANTED: {"operation"},
    Cause.CONTEXT_DIFFERS: {"context"},
    Cause.ENDED: {"ended"},
    Cause.KEY_UNUSABLE: {"disabled"},
    Cause.TOO_LARGE: {"size"},
    Cause.NOT_BY_THIS_GRANT: {"denied_by_key", "denied_by_iam"},
}
_DENIES = _MEANS[Cause.NOT_BY_THIS_GRANT]


@dataclass(frozen=True)
class Grant:
    """What is granted, and how the local KMS reads the case of a constraint's keys."""

    grantee: str
    operations: tuple[str, ...]
    match: ContextMatch
    reading: KeyCase

    @property
    def scope(self) -> Scope:
        """As the record has it."""
        return Scope(operations=self.operations, encryption_context=_CONTEXT, context_match=self.match)


@dataclass(frozen=True)
class Situation:
    """One call and what surrounds it. Each field's default is as the grant wants it."""

    operation: str
    caller: str
    context: dict[str, str] = field(default_factory=lambda: _CONTEXT)
    size: int = 16
    ended: bool = False
    disabled: bool = False
    denied_by_key: bool = False
    denied_by_iam: bool = False
    allowed_beside: str = "nobody"
    """Whom the key policy lets in besides: nobody, the caller, or the caller's account."""


@dataclass
class Kms:
    """The strict KMS with a key, and a session of everybody who calls."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        stranger = self.world.cloud.create_role("stranger", [], PARTNER)
        roles = {"partner": self.world.partner, "stranger": stranger, "home": self.world.app}
        self.roles = {who: roles[who.partition("/")[0]] for who in _WHO}
        sessions = {
            who: self.world.cloud.session_for(self.roles[who], who.partition("/")[2] or "session")
            for who in _WHO
        }
        self.arns = {who: session.arn for who, session in sessions.items()}
        self.clients = {who: self.world.client(session) for who, session in sessions.items()}
        self.decisions: list[Decision] = []
        decide = self.world.cloud.authority.decide_kms

        def noted(*given: Any) -> Decision:
            self.decisions.append(decide(*given))
            return self.decisions[-1]

        vars(self.world.cloud.authority)["decide_kms"] = noted

    @property
    def key(self) -> Any:
        """The key itself."""
        return self.world.cloud.kms.keys[self.world.key]

    def policy_in(self, situation: Situation) -> dict[str, Any]:
        """The key policy."""
        role = self.roles[situation.caller]
        beside = {
            "nobody": [],
            "the caller": [naming(role, "kms:*")],
            "its account": [naming(root(role.split(":")[4]), ["kms:Encrypt", "kms:GenerateDataKey*"])],
        }[situation.allowed_beside]
        whom = {"AWS": role}
        deny = [statement("kms:*", "Deny", Sid="Never", Principal=whom)] if situation.denied_by_key else []
        return policy(naming(root(), "kms:*", Condition=_ONLY_ROOT), *beside, *deny)

    def call(self, situation: Situation) -> str | None:
        """The error that a call ends with, None where it goes through."""
        denied = [statement("kms:*", "Deny")] if situation.denied_by_iam else []
        allowed = [statement("kms:*")] if situation.allowed_beside == "its account" else []
        policies = [policy(*denied, *allowed)] if denied or allowed else []
        for role in set(self.roles.values()):
            self.world.cloud.put_role_policies(role, [])
        self.world.cloud.put_role_policies(self.roles[situation.caller], policies)
        self.world.cloud.put_key_policy(self.world.key, self.policy_in(situation))
        self.key.state = "Disabled" if situation.disabled else "Enabled"
        try:
            self._call(situation)
        except ClientError as error:
            return str(error)
        finally:
            self.key.state = "Enabled"
        return None

    def _call(self, situation: Situation) -> None:
        client, operation = self.clients[situation.caller], situation.operation
        context: dict[str, Any] = {"EncryptionContext": situation.context}
        if operation == "DescribeKey":
            client.describe_key(KeyId=self.world.key)
        elif operation == "Encrypt":
            client.encrypt(KeyId=self.world.key, Plaintext=b"x" * situation.size, **context)
        elif operation == "GenerateDataKey":
            client.generate_data_key(KeyId=self.world.key, KeySpec="AES_256", **context)
        else:
            client.generate_data_key_without_plaintext(KeyId=self.world.key, KeySpec="AES_256", **context)

    def grant(self, grant: Grant) -> str:
        """Create the grant; its id."""
        self.world.cloud.kms.readings.constraint_keys = grant.reading
        return self.world.grant(
            GranteePrincipal=self.grantee(grant),
            Operations=list(grant.operations),
            Constraints=grant.scope.constraints,
        )

    def grantee(self, grant: Grant) -> str:
        """The ARN that the grant names."""
        return self.arns[grant.grantee] if "/" in grant.grantee else self.roles[grant.grantee]

    def end(self, grant_id: str) -> None:
        """Revoke the grant, as the policy's own root."""
        self.world.cloud.put_key_policy(self.world.key, policy(naming(root(), "kms:*")))
        self.world.as_root().revoke_grant(KeyId=self.world.key, GrantId=grant_id)


_ONLY_ROOT = {"ArnEquals": {"aws:PrincipalArn": root(HOME)}}


@cache
def _kms() -> Kms:
    return Kms()


GRANTS = st.builds(
    Grant,
    st.sampled_from(("partner", "partner/other", "home")),
    st.lists(st.sampled_from(_OPERATIONS), min_size=1, unique=True).map(tuple),
    st.sampled_from(ContextMatch),
    st.sampled_from(KeyCase),
)


@st.composite
def situations(draw: st.DrawFn, grant: Grant, *, beside: bool) -> Situation:
    """A call that differs from what is granted in any of its parts."""
    often = st.sampled_from((False, False, True))
    wrong = draw(st.sets(st.sampled_from(("operation", "caller", "context", "size")), max_size=2))
    return Situation(
        draw(st.sampled_from(_OPERATIONS)) if "operation" in wrong else grant.operations[0],
        draw(st.sampled_from(_WHO)) if "caller" in wrong else grant.grantee,
        context=draw(st.sampled_from(_CONTEXTS)) if "context" in wrong else _CONTEXT,
        size=5_000 if "size" in wrong else 16,
        ended=draw(often),
        disabled=draw(often),
        denied_by_key=draw(often),
        denied_by_iam=draw(often),
        allowed_beside=draw(st.sampled_from(("nobody", "the caller", "its account"))) if beside else "nobody",
    )


def request_of(kms: Kms, grant: Grant, grant_id: str, *, ended: bool) -> GrantRequest:
    """The record of the grant, an hour old."""
    ending = {"status": "released", "ended_at": START, "end_reason": "released"} if ended else {}
    return record(
        grantee=kms.grantee(grant),
        key_arn=kms.world.key,
        scope=grant.scope,
        created_at=_ISSUED,
        issued_at=_ISSUED,
        expires_at=START + timedelta(hours=1),
        grant_id=grant_id,
        **ending,
    )


def question_about(kms: Kms, situation: Situation, error: str | None) -> Question:
    """What somebody asks who made the call."""
    return Question(
        action=situation.operation,
        context=situation.context,
        principal=kms.arns[situation.caller],
        size=situation.size if situation.operation == "Encrypt" else None,
        error=error,
    )


def judged(kms: Kms, request: GrantRequest, situation: Situation, error: str | None) -> JudgedCall:
    """The call of that question."""
    question = question_about(kms, situation, error)
    return JudgedCall.of(question, grantee=request.grantee, now=START + timedelta(seconds=1))


def wrong_parts(kms: Kms, grant: Grant, situation: Situation) -> set[str]:
    """Which parts of a call KMS refuses it for, each of them tried alone."""
    right = Situation(grant.operations[0], grant.grantee)
    assert kms.call(right) is None
    alone = {
        # A call that the grant does not hold is sent by its own grantee, under its own context, and so on.
        name: replace(right, **{name: getattr(situation, name)})
        for name in ("caller", "context", "size", "disabled", "denied_by_key", "denied_by_iam")
    }
    if situation.operation in grant.operations:
        alone = {name: replace(each, operation=situation.operation) for name, each in alone.items()}
    found = {name for name, each in alone.items() if kms.call(each) is not None}
    if kms.call(replace(right, operation=situation.operation)) is not None:
        found.add("operation")
    return found | ({"ended"} if situation.ended else set())


@settings(max_examples=150, deadline=None)
@given(data=st.data(), grant=GRANTS)
def test_a_refusal_is_explained_by_its_true_cause(data: st.DataObject, grant: Grant) -> None:
    """A party is told a cause that KMS refuses the call for, and KMS's own where KMS names one."""
    kms, situation = _kms(), data.draw(situations(grant, beside=False))
    grant_id = kms.grant(grant)
    try:
        wrong = wrong_parts(kms, grant, situation)
    except BaseException:
        kms.end(grant_id)
        raise
    if situation.ended:
        kms.end(grant_id)
    error = kms.call(situation)
    decision = kms.decisions[-1]
    if not situation.ended:
        kms.end(grant_id)
    request = request_of(kms, grant, grant_id, ended=situation.ended)
    found = explain(request, judged(kms, request, situation, error))
    unasked = explain(request, judged(kms, request, situation, None), key_fault=_fault(situation))
    if error is None:
        assert found.cause == unasked.cause == Cause.ALLOWED
        return
    _assert_true(found, wrong, situation, grant)
    assert ("DisabledException" in error) == (found.cause == Cause.KEY_UNUSABLE)
    assert ("ValidationException" in error) == (found.cause == Cause.TOO_LARGE)
    if "explicit deny" in error:
        assert decision.verdict is Verdict.EXPLICITLY_DENIED
        assert found.cause == Cause.NOT_BY_THIS_GRANT
    if unasked.cause == Cause.ALLOWED:
        assert wrong <= _DENIES | ({"context"} if situation.context == _CASE_ALONE else set())
    else:
        _assert_true(unasked, wrong, situation, grant)


def _fault(situation: Situation) -> str | None:
    return "it is disabled" if situation.disabled else None


def _assert_true(found: Explanation, wrong: set[str], situation: Situation, grant: Grant) -> None:
    if grant.reading is KeyCase.IGNORED and situation.context == _CASE_ALONE and wrong <= _DENIES:
        # AWS's pages contradict each other on this: after a refusal that names no Deny it may be the cause.
        assert found.cause in {Cause.CONTEXT_DIFFERS, Cause.NOT_BY_THIS_GRANT}
        return
    assert _MEANS[found.cause] & wrong, (found, wrong)
    assert found.because.endswith(".")
    assert found.next.endswith(".")


@settings(max_examples=150, deadline=None)
@given(data=st.data(), grant=GRANTS)
def test_the_whole_policy_explains_every_answer(data: st.DataObject, grant: Grant) -> None:
    """For the security team: nothing allowed is told as refused, and the key policy's Deny is named."""
    kms, situation = _kms(), data.draw(situations(grant, beside=True))
    grant_id = kms.grant(grant)
    if situation.ended:
        kms.end(grant_id)
    error = kms.call(situation)
    request = request_of(kms, grant, grant_id, ended=situation.ended)
    listed = [listed_grant(entry) for entry in kms.world.cloud.grants(kms.world.key)]  # type: ignore[arg-type]
    if not situation.ended:
        kms.end(grant_id)
    around = Surroundings(json.dumps(kms.policy_in(situation)), listed, _fault(situation))
    for said in {error, None}:
        call = judged(kms, request, situation, said)
        own = explain(request, call, key_fault=_fault(situation))
        found = weigh(own, request, call, around)
        if error is None:
            assert found.cause in {Cause.ALLOWED, Cause.DEPENDS}
        elif situation.denied_by_key and "AccessDenied" in error:
            assert found.cause in {Cause.NOT_BY_THIS_GRANT, Cause.KEY_UNUSABLE, Cause.TOO_LARGE}
        elif said is not None:
            assert found.cause not in {Cause.ALLOWED, Cause.DEPENDS}
        elif found.cause == Cause.ALLOWED:
            # Neither IAM's Denies nor the reading of the case of keys can be seen from the key.
            assert situation.denied_by_iam or situation.context == _CASE_ALONE
