"""What holds of every authorisation decision, whatever the policies."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grant_broker.policy_engine import Call, Decision, Verdict, decide_kms

HOME = "111122223333"
KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{HOME}:role/app/encryptor"
SESSION = f"arn:aws:sts::{HOME}:assumed-role/encryptor/nightly"
PARTNER = "arn:aws:iam::444455556666:role/writer"
CALLERS = [ROLE, SESSION, PARTNER, f"arn:aws:iam::{HOME}:user/bob", f"arn:aws:iam::{HOME}:root"]
OPERATIONS = ["Encrypt", "Decrypt", "GenerateDataKey", "ReEncryptTo", "DescribeKey"]
ACTIONS = [*(f"kms:{name}" for name in OPERATIONS), "kms:PutKeyPolicy", "kms:CreateGrant"]
PAIRS = st.dictionaries(st.sampled_from(["tenant", "purpose"]), st.sampled_from(["a", "b"]))
SOME_PAIRS = st.dictionaries(st.sampled_from(["tenant", "purpose"]), st.sampled_from(["a", "b"]), min_size=1)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """A call of one of a few principals, with and without what conditions ask for."""
    principal = draw(st.sampled_from(CALLERS))
    context: dict[str, Any] = {"aws:PrincipalArn": ROLE if principal == SESSION else principal}
    context |= draw(
        st.dictionaries(st.sampled_from(["kms:ViaService", "aws:username"]), st.sampled_from(["a", "b"]))
    )
    action = draw(st.sampled_from(ACTIONS))
    return Call(principal, action, KEY, context, encryption_context=draw(PAIRS))


CONDITIONS = st.dictionaries(
    st.sampled_from(["StringEquals", "StringNotEquals", "StringLikeIfExists", "Null", "StringAlmost"]),
    st.dictionaries(
        st.sampled_from(["kms:ViaService", "aws:username", "kms:Newer"]),
        st.sampled_from(["a", "b*", "true", "${aws:username}", "${aws:userid}"]),
        min_size=1,
    ),
    max_size=2,
)
ACTION_PATTERNS = st.lists(st.sampled_from([*ACTIONS, "kms:*", "kms:*crypt"]), min_size=1, max_size=2)
NAMED = st.lists(st.sampled_from([*CALLERS, "*", HOME]), min_size=1, max_size=2)


@st.composite
def statements(draw: st.DrawFn, *, effect: str | None = None, of_key: bool) -> dict[str, Any]:
    """One statement of a key policy or of an identity policy."""
    form = draw(st.sampled_from(["Action", "NotAction"]))
    made: dict[str, Any] = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Deny"])),
        form: draw(ACTION_PATTERNS),
        "Resource": draw(st.sampled_from(["*", KEY, "arn:aws:kms:us-*:*:key/*"])),
        "Condition": draw(CONDITIONS),
    }
    if of_key:
        made[draw(st.sampled_from(["Principal", "NotPrincipal"]))] = {"AWS": draw(NAMED)}
    return made


KEY_STATEMENTS = st.lists(statements(of_key=True), max_size=4)
IDENTITY_STATEMENTS = st.lists(statements(of_key=False), max_size=3)
CONSTRAINTS = st.one_of(
    st.just({}),
    st.builds(lambda pairs: {"EncryptionContextEquals": pairs}, SOME_PAIRS),
    st.builds(lambda pairs: {"EncryptionContextSubset": pairs}, SOME_PAIRS),
)


@st.composite
def grants(draw: st.DrawFn) -> dict[str, Any]:
    """A grant as ListGrants shows it."""
    return {
        "GrantId": "g",
        "KeyId": KEY,
        "GranteePrincipal": draw(st.sampled_from([*CALLERS[:4], "AROAEXAMPLEEXAMPLE"])),
        "Operations": draw(st.lists(st.sampled_from(OPERATIONS), min_size=1, unique=True)),
        "Constraints": draw(CONSTRAINTS),
    }


def decide(
    call: Call, key: list[dict[str, Any]], identity: list[dict[str, Any]], listed: list[dict[str, Any]]
) -> Decision:
    """The decision by these statements and grants."""
    return decide_kms(
        call,
        key_policy={"Version": "2012-10-17", "Statement": key},
        identity_policies=[{"Version": "2012-10-17", "Statement": identity}],
        grants=listed,
    )


RANK = {Verdict.EXPLICITLY_DENIED: 0, Verdict.IMPLICITLY_DENIED: 1, Verdict.ALLOWED: 2}
SITUATION = {
    "call": calls(),
    "key": KEY_STATEMENTS,
    "identity": IDENTITY_STATEMENTS,
    "listed": st.lists(grants(), max_size=3),
}


@given(**SITUATION, of_key=st.booleans(), data=st.data())
def test_a_deny_never_allows_more(
    call: Call, key: Any, identity: Any, listed: Any, *, of_key: bool, data: st.DataObject
) -> None:
    """Adding a Deny to either kind of policy leaves the verdict or makes it stricter."""
    before = decide(call, key, identity, listed)
    deny = data.draw(statements(effect="Deny", of_key=of_key))
    after = decide(call, [*key, deny] if of_key else key, identity if of_key else [*identity, deny], listed)
    assert RANK[after.verdict] <= RANK[before.verdict]


@given(**SITUATION, of_key=st.booleans(), data=st.data())
def test_an_allow_never_allows_less(
    call: Call, key: Any, identity: Any, listed: Any, *, of_key: bool, data: st.DataObject
) -> None:
    """Adding an Allow leaves the verdict or makes it milder, and never lifts a Deny."""
    before = decide(call, key, identity, listed)
    allow = data.draw(statements(effect="Allow", of_key=of_key))
    after = decide(call, [*key, allow] if of_key else key, identity if of_key else [*identity, allow], listed)
    assert RANK[after.verdict] >= RANK[before.verdict]
    assert (after.verdict is Verdict.EXPLICITLY_DENIED) == (before.verdict is Verdict.EXPLICITLY_DENIED)


@given(**SITUATION, more=grants())
def test_a_grant_never_allows_less(call: Call, key: Any, identity: Any, listed: Any, more: Any) -> None:
    """Adding a grant leaves the verdict or allows, and never lifts a Deny."""
    before = decide(call, key, identity, listed)
    after = decide(call, key, identity, [*listed, more])
    assert RANK[after.verdict] >= RANK[before.verdict]
    assert (after.verdict is Verdict.EXPLICITLY_DENIED) == (before.verdict is Verdict.EXPLICITLY_DENIED)


@given(call=calls(), grant=grants())
def test_a_grant_allows_exactly_what_it_says(call: Call, grant: Any) -> None:
    """Alone, a grant allows its operations, to its grantee, under its constraint, and nothing else."""
    named = {call.principal_arn} | ({ROLE} if call.principal_arn == SESSION else set())
    pairs = dict(call.encryption_context or {})
    met = True
    for kind, wanted in grant["Constraints"].items():
        met = pairs == wanted if kind.endswith("Equals") else wanted.items() <= pairs.items()
    operation = call.action.removeprefix("kms:")
    says = (
        operation in grant["Operations"]
        and grant["GranteePrincipal"] in named
        and (met or operation == "DescribeKey")
    )
    assert decide(call, [], [], [grant]).allowed is says


@given(**SITUATION)
def test_the_order_of_statements_does_not_matter(call: Call, key: Any, identity: Any, listed: Any) -> None:
    """The verdict is the same with statements and grants turned round."""
    forwards = decide(call, key, identity, listed)
    assert decide(call, key[::-1], identity[::-1], listed[::-1]).verdict is forwards.verdict


@given(**SITUATION)
def test_another_account_is_never_let_in_by_one_side(
    call: Call, key: Any, identity: Any, listed: Any
) -> None:
    """Without a grant a caller of another account needs a statement on both sides."""
    call = call._replace(principal_arn=PARTNER, context={**call.context, "aws:PrincipalArn": PARTNER})
    assert not decide(call, key, [], []).allowed
    assert not decide(call, [], identity, []).allowed
    decision = decide(call, key, identity, listed)
    kinds = [source.kind for source in decision.decided_by]
    assert not decision.allowed or kinds in (["key_policy", "identity_policy"], ["grant"])


@given(**SITUATION)
def test_what_is_not_understood_never_widens(call: Call, key: Any, identity: Any, listed: Any) -> None:
    """Without its not understood Allows a call is allowed as before; without such Denies, not less."""
    unclear = ("StringAlmost", "kms:Newer")

    def understood(statement: Any) -> bool:
        return not any(name in str(statement["Condition"]) for name in unclear)

    def without(effect: str, of: Any) -> Any:
        return [each for each in of if understood(each) or each["Effect"] != effect]

    verdict = decide(call, key, identity, listed).verdict
    assert decide(call, without("Allow", key), without("Allow", identity), listed).verdict is verdict
    milder = decide(call, without("Deny", key), without("Deny", identity), listed).verdict
    assert RANK[milder] >= RANK[verdict]
