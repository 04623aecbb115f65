"""Whether a grantee has already what it asks for."""

import json
from typing import Any

import pytest

from grant_broker.domain.scope import Scope
from grant_broker.keys.existing_access import has_access
from tests.unit.access_report.samples import APPLICATION, HOME, KEY, PARTNER, READER, ROOT, policy, statement

SCOPE = Scope(operations=("Encrypt", "DescribeKey"), encryption_context={"tenant": "a"})
BOTH = ("kms:Encrypt", "kms:DescribeKey")


def asked(document: dict[str, Any], grantee: str = READER) -> tuple[str, str]:
    """Answer and reason."""
    found = has_access(json.dumps(document), grantee=grantee, scope=SCOPE, key_arn=KEY)
    return str(found.answer), found.reason


def test_named_with_all_it_asks_for() -> None:
    """A principal of the key's account that the policy names has it, through a session of its role too."""
    document = policy(statement(f"arn:aws:iam::{HOME}:role/reader", *BOTH))
    all_of_it = ("yes", "the key policy lets it do all of this: Encrypt, DescribeKey")
    assert asked(document, f"arn:aws:iam::{HOME}:role/reader") == all_of_it
    assert asked(document, f"arn:aws:sts::{HOME}:assumed-role/reader/night") == all_of_it


def test_named_with_a_part() -> None:
    """Having a part is not having it; the part is told."""
    assert asked(policy(statement(READER, "kms:Encrypt"))) == ("no", "the key policy lets it do only Encrypt")


def test_not_named() -> None:
    """A policy that names others, or denies, gives it nothing."""
    nothing = ("no", "the key policy lets it do none of this")
    assert asked(policy(statement(APPLICATION, *BOTH))) == nothing
    deny = statement(READER, "kms:*", Effect="Deny", Sid="No")
    assert asked(policy(statement(READER, *BOTH), deny)) == nothing


@pytest.mark.parametrize(
    ("named", "grantee"), [(ROOT, READER), (APPLICATION, APPLICATION), (PARTNER, APPLICATION)]
)
def test_where_iam_decides(named: str, grantee: str) -> None:
    """What the policy leaves to an account, and whatever is of another account, IAM decides: unknown."""
    words = "of Encrypt, DescribeKey the IAM policies of the grantee's account decide"
    assert asked(policy(statement(named, *BOTH)), grantee) == ("unknown", words)


def test_conditions_on_the_context_are_judged() -> None:
    """The encryption context, the caller's account and name are known before the call."""
    context = {"StringEquals": {"kms:EncryptionContext:tenant": "a", "kms:CallerAccount": HOME}}
    encrypt = statement(READER, "kms:Encrypt", Condition=context)
    describe = statement(READER, "kms:DescribeKey", Sid="Describe")
    assert asked(policy(encrypt, describe))[0] == "yes"
    other = {"StringEquals": {"kms:EncryptionContext:tenant": "b"}}
    assert asked(policy({**encrypt, "Condition": other}, describe))[0] == "no"


def test_conditions_on_the_call_leave_it_open() -> None:
    """Where the call comes from is known only then: unknown, unless the statement is about others."""
    network = {"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}
    words = "of Encrypt, DescribeKey conditions on the call itself decide"
    assert asked(policy(statement(READER, *BOTH, **network))) == ("unknown", words)
    assert asked(policy(statement(APPLICATION, *BOTH, **network)))[0] == "no"
    assert asked(policy(statement(READER, "kms:Sign", **network)))[0] == "no"
    assert asked(policy(statement(READER, *BOTH, Effect="Deny", **network)))[0] == "no"
    assert asked(policy(statement(READER, *BOTH, Resource=None, **network)))[0] == "no"
