"""Policies as AWS stores them, and as it would refuse to."""

import json
from typing import Any

import pytest

from grant_broker.policy_engine import Source, decide, parse_policy
from tests.unit.policy_engine.calls import (
    ALLOWED,
    EXPLICIT,
    IMPLICIT,
    KEY,
    NOTHING,
    ROLE,
    call,
    decided,
    naming,
    policy,
    statement,
    verdict,
)


def test_text_and_object_are_the_same_policy() -> None:
    """A policy may come as JSON text or as an object; the same text is read once."""
    document = naming(ROLE)
    assert parse_policy(json.dumps(document)) is parse_policy(document)
    assert verdict(key_policy=json.dumps(document)) is ALLOWED
    assert verdict(key_policy=parse_policy(document)) is ALLOWED


def test_scalars_stand_for_lists_of_one() -> None:
    """Statement, Action, Resource and condition values may be single."""
    single = statement(
        Principal={"AWS": ROLE}, Action="kms:Encrypt", Condition={"Null": {"aws:SourceIp": True}}
    )
    assert verdict(key_policy={"Version": "2012-10-17", "Statement": single}) is ALLOWED
    several = {**single, "Action": ["kms:Encrypt"], "Resource": [KEY], "Principal": {"AWS": [ROLE]}}
    assert verdict(key_policy=policy({**several, "Condition": {"Null": {"aws:SourceIp": [True]}}})) is ALLOWED


@pytest.mark.parametrize(
    ("elements", "takes_in"),
    [
        ({"Action": "kms:encrypt"}, True),
        ({"Action": "KMS:E*t"}, True),
        ({"Action": "kms:?ncrypt"}, True),
        ({"Action": "*"}, True),
        ({"Action": ["kms:Decrypt", "kms:Enc*"]}, True),
        ({"Action": "kms:Encryp"}, False),
        ({"Action": "kms:Encrypt?"}, False),
        ({"Action": "s3:*"}, False),
        ({"NotAction": "kms:Decrypt"}, True),
        ({"NotAction": ["kms:Decrypt", "kms:encrypt"]}, False),
        ({"NotAction": "kms:*"}, False),
        ({"Resource": KEY}, True),
        ({"Resource": KEY.upper()}, False),
        ({"Resource": "arn:aws:kms:*:111122223333:key/*"}, True),
        ({"Resource": "arn:aws:kms:eu-*:*:key/1234?bcd-*"}, True),
        ({"Resource": "arn:aws:kms:*"}, True),
        ({"Resource": "arn:aws:kms"}, True),
        ({"Resource": "arn:aws:s3"}, False),
        ({"Resource": "arn:aws:kms:us-*:111122223333:key/*"}, False),
        ({"Resource": ["arn:aws:s3:::x", "*"]}, True),
        ({"Resource": "arn:aws:kms:*:*:key/${aws:PrincipalTag/key}"}, True),
        ({"Resource": "arn:aws:kms:*:*:key/${aws:username}"}, False),
        ({"Resource": ["arn:aws:kms:*:*:key/${aws:PrincipalTag/other}", KEY]}, True),
        ({"Resource": "arn:aws:kms:*:*:key/${aws:PrincipalTag/other}"}, False),
        ({"NotResource": "arn:aws:kms:*:*:key/${aws:PrincipalTag/other}"}, True),
        ({"NotResource": "arn:aws:s3:::x"}, True),
        ({"NotResource": ["arn:aws:s3:::x", KEY]}, False),
        ({"NotResource": "*"}, False),
    ],
)
def test_actions_and_resources(elements: dict[str, Any], *, takes_in: bool) -> None:
    """Actions ignore case, resources do not; wildcards reach over slashes; Not elements take in the rest."""
    context = {"aws:PrincipalTag/key": KEY.rpartition("/")[2], "aws:PrincipalTag/other": "*"}
    asked = call(context=context)
    assert verdict(asked, naming(ROLE, **elements)) is (ALLOWED if takes_in else IMPLICIT)
    assert verdict(asked, naming(ROLE, "Deny", **elements)) is (EXPLICIT if takes_in else IMPLICIT)


def test_resource_excepted_by_an_unknown_value() -> None:
    """A NotResource with a variable without a value widens no Allow and narrows no Deny."""
    excepted = {"NotResource": "arn:aws:kms:*:*:key/${aws:username}"}
    assert verdict(key_policy=naming(ROLE, **excepted)) is IMPLICIT
    denied = decided(key_policy=naming(ROLE, "Deny", **excepted))
    assert (denied.verdict, denied.unknown) == (EXPLICIT, ("NotResource",))
    also_excepted = {"NotResource": ["arn:aws:kms:*:*:key/${aws:username}", KEY]}
    assert verdict(key_policy=naming(ROLE, "Deny", **also_excepted)) is IMPLICIT


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_version_decides_about_variables(version: str | None) -> None:
    """Only Version 2012-10-17 has variables: elsewhere they are plain text, which the caller may be named."""
    document = naming(ROLE, Condition={"StringEquals": {"aws:PrincipalTag/a": "${aws:PrincipalTag/b}"}})
    asked = call(context={"aws:PrincipalTag/a": "x", "aws:PrincipalTag/b": "x"})
    assert verdict(asked, document) is ALLOWED
    older = {key: value for key, value in document.items() if key != "Version"}
    assert verdict(asked, older if version is None else {**older, "Version": version}) is IMPLICIT


def test_every_condition_must_hold() -> None:
    """All operators and all keys of a Condition must hold; of a key's values, one."""
    block = {
        "StringEquals": {"kms:ViaService": ["a", "b"], "aws:username": "bob"},
        "Bool": {"kms:MultiRegion": False},
    }
    document = naming(ROLE, Condition=block)
    fitting = {"kms:ViaService": "b", "aws:username": "bob", "kms:MultiRegion": "false"}
    assert verdict(call(context=fitting), document) is ALLOWED
    for key in fitting:
        assert verdict(call(context={**fitting, key: "other"}), document) is IMPLICIT


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ({"StringAlmost": {"aws:username": "a"}}, "StringAlmost"),
        ({"StringNotEquals": {"kms:Newer": "a"}}, "kms:Newer"),
        ({"StringEquals": {"kms:GrantOperations": "Encrypt"}}, "StringEquals kms:GrantOperations"),
        ({"StringNotEquals": {"kms:ViaService": "${aws:userid}"}}, "StringNotEquals kms:ViaService"),
    ],
)
def test_what_is_not_understood_never_widens(condition: dict[str, Any], named: str) -> None:
    """An Allow does not rest on what is not understood, a Deny stands on it, and both report it."""
    asked = call(context={"kms:GrantOperations": ["Encrypt"], "kms:ViaService": "s3"})
    allow, deny = (decided(asked, naming(ROLE, effect, Condition=condition)) for effect in ("Allow", "Deny"))
    assert (allow.verdict, allow.unknown) == (IMPLICIT, (named,))
    assert (deny.verdict, deny.unknown) == (EXPLICIT, (named,))
    assert f"(not understood: {named})" in allow.reason


def test_what_does_not_matter_is_not_reported() -> None:
    """A statement that another condition rules out leaves nothing open."""
    block = {"StringAlmost": {"aws:username": "a"}, "StringEquals": {"aws:username": "a"}}
    decision = decided(key_policy=naming(ROLE, "Deny", Condition=block))
    assert (decision.verdict, decision.unknown) == (IMPLICIT, ())


def test_the_same_unknown_is_reported_once() -> None:
    """Two statements with the same unknown operator are one report."""
    unclear = statement(Principal="*", Condition={"StringAlmost": {"aws:username": "a"}})
    assert decided(key_policy=policy(unclear, unclear)).unknown == ("StringAlmost",)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ("[]", "object with a Statement"),
        ("{}", "object with a Statement"),
        ("{", "Expecting"),
        ("[" * 100_000, "nested too deeply"),
        ('{"Statement": [], "Statement": []}', "twice"),
        ('{"Statement": [], "Statment": []}', "no element Statment"),
        ('{"Statement": [], "Version": "2012-10-18"}', "Version is 2008-10-17 or 2012-10-17"),
        ('{"Statement": [], "Version": ["2012-10-17"]}', "Version is"),
        (policy("x"), "IAM's elements"),  # type: ignore[arg-type]
        (policy(statement(Principals="*")), "IAM's elements"),
        (policy(statement("Permit")), "Effect Allow or Deny"),
        (policy({"Action": "*", "Resource": "*"}), "Effect Allow or Deny"),
        (policy(statement(Sid=7)), "Sid"),
        (policy({**statement(), "NotAction": "*"}), "both Action and NotAction"),
        (policy(statement(Action=[])), "string or a list"),
        (policy(statement(Action=[7])), "string or a list"),
        (policy(statement(Resource={})), "string or a list"),
        (policy(statement(Condition=[])), "Condition must be"),
        (policy(statement(Condition={"Bool": "true"})), "Condition must be"),
        (policy(statement(Condition={"Bool": {"aws:SecureTransport": None}})), "condition value"),
        (policy(statement(Principal="arn:aws:iam::111122223333:root")), "Principal must be"),
        (policy(statement(Principal={})), "Principal must be"),
        (policy(statement(Principal={"Group": "x"})), "Principal must be"),
        (policy(statement(Principal={"AWS": [7]})), "a principal must be a string"),
    ],
)
def test_what_aws_would_not_store(document: Any, fault: str) -> None:
    """A document that AWS would refuse is an error, never a policy that allows less or more."""
    with pytest.raises(ValueError, match=fault):
        parse_policy(document)


def test_key_policy_without_principal() -> None:
    """A key policy's statement must say of whom it speaks."""
    with pytest.raises(ValueError, match="statement 1 of the key policy needs Principal"):
        decided(key_policy=policy(statement()))


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize("left_out", ["Action", "Resource"])
def test_incomplete_statement_of_a_key_policy(effect: str, left_out: str) -> None:
    """KMS stores a statement without Action or Resource: it has no effect, and the others count."""
    incomplete = statement(effect, Principal={"AWS": ROLE})
    del incomplete[left_out]
    allow = statement(Principal={"AWS": ROLE}, Sid="Use")
    assert verdict(key_policy=policy(incomplete)) is IMPLICIT
    assert verdict(key_policy=policy(incomplete, allow)) is ALLOWED
    assert verdict(key_policy=policy(incomplete, {**allow, "Effect": "Deny"})) is EXPLICIT
    assert decided(key_policy=policy(incomplete, allow)).decided_by == (Source("key_policy", sid="Use"),)


@pytest.mark.parametrize("form", ["NotAction", "NotResource"])
def test_a_not_form_completes_a_statement(form: str) -> None:
    """NotAction and NotResource make a key policy's statement as complete as their plain forms."""
    assert verdict(key_policy=naming(ROLE, **{form: "arn:aws:s3:::x"})) is ALLOWED
    assert verdict(key_policy=naming(ROLE, "Deny", **{form: "arn:aws:s3:::x"})) is EXPLICIT


@pytest.mark.parametrize(
    ("wrong", "needs"),
    [
        (statement(Principal="*"), "Resource or NotResource, and no Principal"),
        ({"Effect": "Allow", "Action": "kms:*"}, "Resource or NotResource, and no Principal"),
        ({"Effect": "Deny", "Action": "s3:*"}, "Resource or NotResource, and no Principal"),
        ({"Effect": "Allow", "Resource": "*"}, "Action or NotAction"),
    ],
)
def test_identity_policy_of_another_shape(wrong: dict[str, Any], needs: str) -> None:
    """An identity policy's statement names actions and resources and no principal, whatever is asked."""
    with pytest.raises(ValueError, match=f"statement 1 of identity policy 2 needs {needs}"):
        decided(key_policy=NOTHING, identity=(policy(statement()), policy(wrong)))


def test_resource_policy_without_action() -> None:
    """Only KMS stores a statement without an Action: in another resource's policy it is an error."""
    trust = policy({"Effect": "Allow", "Principal": {"AWS": ROLE}})
    with pytest.raises(ValueError, match="statement 1 of the resource policy needs Action"):
        decide(call(ROLE, "sts:AssumeRole"), identity_policies=[], resource_policy=trust)
