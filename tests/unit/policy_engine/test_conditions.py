"""Condition operators, by IAM's documentation of each."""

import pytest

from grant_broker.policy_engine.conditions import condition, normalise
from tests.unit.policy_engine.conditions import ABSENT, MANY, NOT_KNOWN, STRINGS, holds


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "outcome"),
    [
        ("StringEquals", "a*", "a*", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "A", "a", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", [], "b", False),
        ("StringEquals", 7, "7", True),
        ("StringEquals", True, "true", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEqualsIgnoreCase", "ALICE", "alice", True),
        ("StringNotEqualsIgnoreCase", "ALICE", "alice", False),
        ("StringNotEqualsIgnoreCase", "ALICE", "bob", True),
        ("StringLike", "a*c?e", "abbcde", True),
        ("StringLike", "a*c?e", "abbce", False),
        ("StringLike", "A*", "abc", False),
        ("StringLike", "*", "", True),
        ("StringLike", "?", "", False),
        ("StringLike", "a.c", "abc", False),
        ("StringLike", "*\n*", "a\nb", True),
        ("StringLike", "a*b*b", "ab", False),
        ("StringLike", "**a**", "bab", True),
        ("StringLike", "${*}x${?}${$}", "*x?$", True),
        ("StringLike", "${*}x", "ax", False),
        ("StringNotLike", ["a*", "b*"], "bc", False),
        ("StringNotLike", ["a*", "b*"], "c", True),
        ("stringequals", "a", "a", True),
        ("NumericEquals", "7", "7.0", True),
        ("NumericEquals", 7, "7", True),
        ("NumericEquals", 1e1, "10", True),
        ("NumericNotEquals", [7, "8"], "8", False),
        ("NumericNotEquals", [7, "8"], "9", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", [3, 10], "9", True),
        ("NumericLessThan", "9", "9", False),
        ("NumericLessThanEquals", "9", "9", True),
        ("NumericGreaterThan", "-1", "-0.5", True),
        ("NumericGreaterThan", "9", "9", False),
        ("NumericGreaterThanEquals", "9", "9", True),
        ("NumericEquals", "seven", "7", NOT_KNOWN),
        ("NumericEquals", ["seven", "7"], "7", True),
        ("NumericNotEquals", ["seven", "8"], "7", NOT_KNOWN),
        ("NumericEquals", "7", "seven", NOT_KNOWN),
        ("NumericEquals", "${kms:KeyOrigin, '7'}", "7", NOT_KNOWN),
        ("DateEquals", "2026-12-01T00:00:00Z", "2026-12-01T02:00:00+02:00", True),
        ("DateEquals", "2026-12-01", "2026-12-01T00:00:00Z", True),
        ("DateEquals", "2026-12", "2026-12-01T00:00:00", True),
        ("DateEquals", "2026", "2026-01-01T00:00Z", True),
        ("DateEquals", "1796083200", "2026-12-01T00:00:00Z", True),
        ("DateEquals", 1796083200, "2026-12-01t00:00:00z", True),
        ("DateEquals", "0", "1970-01-01", True),
        ("DateEquals", "2026-12-01T00:00:00.5Z", "1796083200.5", True),
        ("DateNotEquals", "2026-12-01", "2026-12-02", True),
        ("DateNotEquals", "2026-12-01", "2026-12-01", False),
        ("DateLessThan", "2026-12-01T01:00:00+02:00", "2026-11-30T22:59:59Z", True),
        ("DateLessThan", "2026-12-01T01:00:00+0200", "2026-11-30T23:00:00Z", False),
        ("DateLessThanEquals", "2026-12-01T01:00:00-01:00", "2026-12-01T02:00:00Z", True),
        ("DateGreaterThan", "2026-12-01", "2026-12-01T00:00:00Z", False),
        ("DateGreaterThanEquals", "2026-12-01", "2026-12-01T00:00:00Z", True),
        ("DateEquals", "2026-02-30", "2026-12-01", NOT_KNOWN),
        ("DateEquals", "20261201T000000Z", "2026-12-01", NOT_KNOWN),
        ("DateEquals", "tomorrow", "2026-12-01", NOT_KNOWN),
        ("Bool", True, "true", True),
        ("Bool", "True", "true", True),
        ("Bool", "false", "true", False),
        ("Bool", ["true", False], "false", True),
        ("Bool", "yes", "true", NOT_KNOWN),
        ("Bool", "true", "yes", NOT_KNOWN),
        ("BinaryEquals", "QUI=", "QUI=", True),
        ("BinaryEquals", "QUI=", "QUM=", False),
        ("BinaryEquals", "!", "QUI=", NOT_KNOWN),
        ("IpAddress", "203.0.113.0/24", "203.0.113.77", True),
        ("IpAddress", "203.0.113.99/24", "203.0.113.77", True),
        ("IpAddress", "203.0.113.76/31", "203.0.113.77", True),
        ("IpAddress", "203.0.113.77", "203.0.113.77", True),
        ("IpAddress", "203.0.113.77/32", "203.0.113.78", False),
        ("IpAddress", "0.0.0.0/0", "203.0.113.77", True),
        ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
        ("IpAddress", "2001:DB8::/32", "2001:db8::1", True),
        ("IpAddress", "2001:db8::/32", "2001:db9::1", False),
        ("IpAddress", "::/0", "203.0.113.77", False),
        ("IpAddress", "203.0.113.0/33", "203.0.113.77", NOT_KNOWN),
        ("IpAddress", "203.0.113.0/255.255.255.0", "203.0.113.77", NOT_KNOWN),
        ("IpAddress", "203.0.113.0/24", "AWS Internal", NOT_KNOWN),
        ("NotIpAddress", ["203.0.113.0/24", "10.0.0.0/8"], "10.1.2.3", False),
        ("NotIpAddress", ["203.0.113.0/24", "10.0.0.0/8"], "192.0.2.1", True),
        ("NotIpAddress", "nowhere", "192.0.2.1", NOT_KNOWN),
        ("ArnEquals", "arn:aws:iam::*:role/app/*", "arn:aws:iam::111122223333:role/app/a/b", True),
        ("ArnLike", "arn:aws:iam::11112222333?:role/app", "arn:aws:iam::111122223333:role/app", True),
        ("ArnLike", "arn:aws:iam::*:role/app", "arn:aws:iam::111122223333:role/App", False),
        ("ArnLike", "arn:aws:*:role/app", "arn:aws:iam::111122223333:role/app", NOT_KNOWN),
        ("ArnLike", "arn:aws:*:*:*:app", "arn:aws:logs:eu:1:group:app", False),
        ("ArnLike", "arn:aws:*:*:*:*:app", "arn:aws:logs:eu:1:group:app", True),
        ("ArnLike", "arn:*", "arn:aws:iam::111122223333:role/app", NOT_KNOWN),
        ("ArnLike", "arn:aws:iam::*:role/app", "app", NOT_KNOWN),
        ("ArnNotEquals", "arn:aws:iam::*:role/app", "arn:aws:iam::111122223333:role/app", False),
        ("ArnNotLike", "arn:aws:iam::*:role/app", "arn:aws:iam::111122223333:role/b", True),
        ("StringAlmost", "a", "a", NOT_KNOWN),
        ("ForSomeValues:StringEquals", "a", "a", NOT_KNOWN),
        ("ForAllValues:Null", "true", "a", NOT_KNOWN),
        ("NullIfExists", "true", "a", NOT_KNOWN),
    ],
)
def test_operator_compares_as_documented(
    operator: str, wanted: object, actual: str, *, outcome: bool | None
) -> None:
    """Each operator compares a present value with the listed ones, or says that it cannot."""
    assert holds(operator, wanted, actual) is outcome


NEGATED = [
    *("StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "NumericNotEquals", "DateNotEquals"),
    *("NotIpAddress", "ArnNotEquals", "ArnNotLike"),
]
POSITIVE = [
    *(
        "StringEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "NumericEquals",
        "NumericLessThan",
        "DateEquals",
    ),
    *("DateGreaterThan", "Bool", "BinaryEquals", "IpAddress", "ArnEquals", "ArnLike"),
]


@pytest.mark.parametrize("operator", [*NEGATED, *POSITIVE])
def test_absent_key(operator: str) -> None:
    """An absent key meets negated operators, IfExists and ForAllValues, and no other."""
    assert holds(operator, "1", ABSENT) is (operator in NEGATED)
    assert holds(f"{operator}IfExists", "1", ABSENT) is True
    assert holds(f"ForAllValues:{operator}", "1", ABSENT) is True
    assert holds(f"ForAnyValue:{operator}", "1", ABSENT) is False
    assert holds(f"ForAnyValue:{operator}IfExists", "1", ABSENT) is True


def test_if_exists_compares_what_is_there() -> None:
    """IfExists changes nothing for a key that is there."""
    assert holds("StringEqualsIfExists", "a", "b") is False
    assert holds("StringNotEqualsIfExists", "a", "b") is True


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "outcome"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", ["a"], [], True),
        ("ForAllValues:StringEquals", ["a"], "a", True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c"], False),
        ("ForAnyValue:StringEquals", ["a"], [], False),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
        ("ForAnyValue:StringLike", ["a*"], ["b", "ab"], True),
        ("forallvalues:stringlike", ["a*"], ["b", "ab"], False),
        ("ForAllValues:NumericEquals", ["1"], ["1", "x"], NOT_KNOWN),
        ("ForAllValues:NumericEquals", ["1"], ["2", "x"], False),
        ("ForAnyValue:NumericEquals", ["1"], ["1", "x"], True),
        ("StringEquals", ["a"], ["a"], NOT_KNOWN),
        ("StringNotEquals", ["a"], ["b"], NOT_KNOWN),
        ("Null", "false", ["a"], True),
        ("Null", True, [], True),
    ],
)
def test_several_values(operator: str, wanted: object, actual: object, *, outcome: bool | None) -> None:
    """Set operators quantify over the call's values; without one, several values cannot be compared."""
    assert holds(operator, wanted, actual, key=MANY) is outcome


@pytest.mark.parametrize(
    ("wanted", "present", "absent"),
    [
        ("true", False, True),
        ("True", False, True),
        (True, False, True),
        ("false", True, False),
        (False, True, False),
        (["true", "false"], True, True),
        ("maybe", NOT_KNOWN, NOT_KNOWN),
    ],
)
def test_null(wanted: object, *, present: bool | None, absent: bool | None) -> None:
    """Null asks for absence with true and for presence with false."""
    assert holds("Null", wanted, "x") is present
    assert holds("Null", wanted, ABSENT) is absent


def test_names_of_keys_ignore_case() -> None:
    """A key in any case is the same key, its variable part included."""
    assert holds("StringEquals", "a", "a", key="KMS:EncryptionContext:Tenant") is True
    assert condition("StringEquals", "kms:viaservice", ["a"], variables=True).holds(
        normalise({"KMS:ViaService": "a"})
    )


def test_names_that_differ_by_case_are_several_values() -> None:
    """Two spellings of one key cannot be told apart, so no single-valued operator decides by them."""
    context = normalise({"kms:ViaService": "a", "kms:viaservice": "b"})
    assert context == {"kms:viaservice": ("a", "b")}
    assert condition("StringEquals", STRINGS, ["a"], variables=True).holds(context) is None


@pytest.mark.parametrize(
    "operator", ["StringNotEquals", "StringEqualsIfExists", "Null", "ForAllValues:StringLike"]
)
def test_unknown_key_is_not_known(operator: str) -> None:
    """A key that is neither documented nor in the call leaves the condition open, whatever the operator."""
    asked = condition(operator, "kms:GranteePrincpal", ["true"], variables=True)
    assert asked.holds({}) is None
    assert asked.label == "kms:GranteePrincpal"


def test_key_of_the_call_is_known() -> None:
    """A key that the call has is compared, documented or not."""
    assert holds("StringEquals", "a", "a", key="kms:Newer") is True
    assert holds("StringNotEquals", "a", "a", key="kms:Newer") is False


def test_a_family_of_keys_needs_a_member() -> None:
    """The bare prefix of a family of keys is no key."""
    assert holds("Null", "true", ABSENT, key="kms:EncryptionContext:") is None
    assert holds("Null", "true", ABSENT, key="kms:EncryptionContext:a") is True


@pytest.mark.parametrize("value", [None, {}, [["a"]]])
def test_values_of_no_condition(value: object) -> None:
    """A context value that IAM has no text for is refused."""
    with pytest.raises(ValueError, match="must be a string"):
        normalise({"aws:username": value})
