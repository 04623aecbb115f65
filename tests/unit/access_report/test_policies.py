"""What a key policy gives, principal by principal."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grant_broker.access_report import KEY_ACTIONS
from grant_broker.access_report.entries import AccessEntry
from grant_broker.access_report.policies import entries_of, not_understood
from grant_broker.access_report.statements import without_effect
from tests.support.case_files import case_files
from tests.unit.access_report.samples import (
    ADMIN,
    APPLICATION,
    HOME,
    KEY,
    PARTNER,
    READER,
    ROOT,
    policy,
    statement,
)

USED = ("kms:Decrypt", "kms:Encrypt")


def entries(*statements: dict[str, Any]) -> list[AccessEntry]:
    """The entries of a policy."""
    return list(entries_of(policy(*statements), KEY))


def shown(*statements: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Principal, kind and actions of every entry."""
    return [(entry.principal, entry.through.kind, entry.actions) for entry in entries(*statements)]


def deny(principal: Any, *actions: str, **others: Any) -> dict[str, Any]:
    """A Deny."""
    return statement(principal, *actions, Effect="Deny", **{"Sid": "No", **others})


@pytest.mark.parametrize("name", [ROOT, HOME, f"arn:aws:iam::{HOME}:root"])
def test_an_account_stands_for_its_iam(name: str) -> None:
    """A statement that names an account, in any form, leaves the choice to that account's IAM."""
    assert shown(statement(name, "kms:Decrypt")) == [(ROOT, "iam", ("kms:Decrypt",))]


def test_every_principal_of_a_statement_is_listed() -> None:
    """Roles, services, federations and `*` are named as the policy names them, each with all its actions."""
    named = {"AWS": [READER, "*"], "Service": "logs.amazonaws.com"}
    assert [who for who, kind, _ in shown(statement(named, "kms:D*")) if kind == "key_policy"] == [
        READER,
        "*",
        "logs.amazonaws.com",
    ]
    assert shown(statement("*", "KMS:decrypt")) == [("*", "key_policy", ("kms:Decrypt",))]


def test_actions_are_written_out() -> None:
    """Wildcards and NotAction become KMS's actions, but RetireGrant, which no key policy gives."""
    assert entries(statement(READER, "kms:*"))[0].actions == tuple(
        name for name in KEY_ACTIONS if name != "kms:RetireGrant"
    )
    (left,) = entries(statement(READER, Action=None, NotAction=["kms:*e*", "kms:Sign"]))
    assert left.actions == ("kms:ListGrants",)
    assert entries(statement(READER, "s3:GetObject")) == []


def test_a_condition_on_the_principal_names_it() -> None:
    """An exact aws:PrincipalArn narrows a delegation to that principal; the root user needs no IAM policy."""
    condition = {"ArnEquals": {"aws:PrincipalArn": [READER, ROOT]}}
    assert shown(statement(ROOT, "kms:Decrypt", Condition=condition)) == [
        (READER, "iam", ("kms:Decrypt",)),
        (ROOT, "key_policy", ("kms:Decrypt",)),
    ]


def test_a_condition_on_the_principal_names_everyone_too() -> None:
    """Of `*` an exact aws:PrincipalArn leaves those whom it names; several leave whom all of them name."""
    narrowed = {"ArnEquals": {"aws:PrincipalArn": [READER, APPLICATION]}}
    assert shown(statement("*", "kms:Decrypt", Condition=narrowed)) == [
        (READER, "key_policy", ("kms:Decrypt",)),
        (APPLICATION, "key_policy", ("kms:Decrypt",)),
    ]
    both = {**narrowed, "StringLike": {"aws:PrincipalArn": APPLICATION}}
    assert [who for who, *_ in shown(statement("*", "kms:Decrypt", Condition=both))] == [APPLICATION]
    but = {"Principal": None, "NotPrincipal": {"AWS": ADMIN}, "Condition": narrowed}
    assert [who for who, *_ in shown(statement("", "kms:Decrypt", **but))] == ["*"]


def test_a_condition_on_a_principal_of_another_account() -> None:
    """An account's principals alone can meet a statement that names the account."""
    elsewhere = {"ArnEquals": {"aws:PrincipalArn": [APPLICATION, "nobody"]}}
    assert shown(statement(ROOT, "kms:Decrypt", Condition=elsewhere)) == []


def test_delegation_points_at_iam() -> None:
    """Whatever is left to an account's IAM says so, and where to look further."""
    whole, one = entries(
        statement(ROOT, "kms:Decrypt"),
        statement(PARTNER, "kms:Encrypt", Condition={"ArnEquals": {"aws:PrincipalArn": APPLICATION}}),
    )
    assert (whole.through.account, one.through.account) == (HOME, PARTNER)
    assert whole.through.pointer == (
        f"the IAM policies of account {HOME} say who has it; `grant-broker access` lists them"
    )
    assert one.through.pointer == "the IAM policies of this principal must allow it too"


@pytest.mark.parametrize("missing", ["Action", "Resource"])
def test_statements_without_effect(missing: str) -> None:
    """A statement without Action or Resource has no effect; the others count, by their own numbers."""
    lacking = {"Sid": None, missing: None}
    document = policy(
        statement(ADMIN, "kms:Decrypt", **lacking),
        statement(READER, *USED, Sid=None),
        deny(READER, "kms:Decrypt", **lacking),
    )
    assert [(each.principal, each.actions, each.through.sid) for each in entries_of(document, KEY)] == [
        (READER, USED, "statement 2")
    ]
    assert list(without_effect(document)) == [("statement 1", missing), ("statement 3", missing)]


@pytest.mark.parametrize("text", ["[]", "{}", '{"Statement": [7]}', "{", "[" * 100_000])
def test_what_is_no_policy(text: str) -> None:
    """What KMS would never have stored is a ValueError, not an empty report."""
    with pytest.raises(ValueError, match=r"."):
        list(entries_of(text, KEY))


@pytest.mark.parametrize(
    "condition",
    [
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/app/*"}},
        {"StringNotEquals": {"aws:PrincipalArn": READER}},
        {"StringEquals": {"aws:PrincipalTag/team": "data"}},
    ],
)
def test_other_conditions_are_shown(condition: dict[str, Any]) -> None:
    """Whom another condition leaves is not known, so the account stays, with the condition."""
    (entry,) = entries(statement(ROOT, "kms:Decrypt", Condition=condition))
    assert (entry.principal, entry.constraint) == (ROOT, {"Condition": condition})


def ends(**condition: dict[str, Any]) -> datetime | None:
    """Until when a statement under these conditions gives access."""
    (entry,) = entries(statement(READER, "kms:Decrypt", Condition=condition))
    return entry.until


def test_a_date_ends_access() -> None:
    """A condition on the time says until when: the last of its values, since any one lets a call through."""
    times = ["2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"]
    assert ends(DateLessThan={"aws:CurrentTime": times}) == datetime(2031, 1, 1, tzinfo=UTC)
    assert ends(DateLessThan={"aws:CurrentTime": [times[0], "soon"]}) == datetime(2030, 1, 1, tzinfo=UTC)
    assert ends(DateLessThanIfExists={"aws:CurrentTime": times[0]}) == datetime(2030, 1, 1, tzinfo=UTC)


def test_the_earlier_of_two_dates_ends_access() -> None:
    """All conditions must hold, so the first that ends the access ends it."""
    both: dict[str, dict[str, Any]] = {
        "DateLessThan": {"aws:CurrentTime": "2030-01-01"},
        "DateLessThanEquals": {"aws:EpochTime": 1798131600},
    }
    assert ends(**both) == datetime.fromtimestamp(1_798_131_600, UTC)


@pytest.mark.parametrize("operator", ["DateLessThan", "NumericLessThanEquals"])
def test_epoch_times_end_access(operator: str) -> None:
    """aws:EpochTime counts seconds, which both dates and numbers compare."""
    assert ends(**{operator: {"aws:EpochTime": "1798131600"}}) == datetime.fromtimestamp(1_798_131_600, UTC)


def test_a_date_that_ends_nothing() -> None:
    """What cannot be read, lies beyond any plan, or is about another time is no end."""
    for never in ("soon", "9" * 30, "9999-12-31T23:59:59Z", "2100-01-01"):
        assert ends(DateLessThan={"aws:CurrentTime": never}) is None
    assert (
        ends(DateGreaterThan={"aws:CurrentTime": "2030"}, DateLessThan={"aws:TokenIssueTime": "2030"}) is None
    )
    assert ends(NumericLessThan={"aws:CurrentTime": "1798131600"}) is None
    assert ends(DateLessThan={"aws:EpochTime": "-90000000000000"}) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("file", case_files("until.json"), ids=str)
def test_dates_from_outside(file: Path) -> None:
    """The earlier of two dates, an epoch time, and the year 9999, which is no end."""
    found = {entry.through.sid: entry.until for entry in entries_of(file.read_text("utf-8"), KEY)}
    assert found == {
        "two": datetime(2026, 12, 1, tzinfo=UTC),
        "epoch": datetime.fromtimestamp(1_798_131_600, UTC),
        "never": None,
    }


@pytest.mark.parametrize("who", ["*", ROOT, READER])
def test_a_deny_takes_away(who: str) -> None:
    """What a Deny without conditions denies to the principal, its account or everyone is no access."""
    assert shown(statement(READER, *USED), deny(who, "kms:Enc*")) == [
        (READER, "key_policy", ("kms:Decrypt",))
    ]
    assert shown(statement(READER, *USED), deny(who, "kms:*")) == []


@pytest.mark.parametrize("who", [ADMIN, APPLICATION, {"Service": "logs.amazonaws.com"}])
def test_a_deny_to_others_takes_nothing(who: Any) -> None:
    """A Deny of somebody else leaves the access as it is."""
    (entry,) = entries(statement(READER, *USED), deny(who, "kms:*"))
    assert (entry.actions, entry.constraint) == (USED, None)


def test_a_deny_under_conditions_is_shown() -> None:
    """A conditional Deny stands beside the access; one of other actions does not."""
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    (entry,) = entries(
        statement(READER, *USED), deny("*", "kms:*", Condition=condition), deny("*", "kms:Sign")
    )
    assert (entry.actions, entry.constraint) == (USED, {"Unless": [{"Sid": "No", "Condition": condition}]})


def test_everyone_but_some() -> None:
    """NotPrincipal denies to whom it does not list; of a whole account only some, so it is shown there."""
    but = {"Principal": None, "NotPrincipal": {"AWS": [ADMIN, ROOT]}}
    assert shown(statement(ADMIN, "kms:Decrypt"), deny("", "kms:*", **but)) == [
        (ADMIN, "key_policy", ("kms:Decrypt",))
    ]
    assert shown(statement(READER, "kms:Decrypt"), deny("", "kms:*", **but)) == []
    (entry,) = entries(statement(ROOT, "kms:Decrypt"), deny("", "kms:*", **but))
    assert entry.constraint == {"Unless": [{"Sid": "No", "Condition": {}}]}
    nobody = {"Principal": None, "NotPrincipal": "*"}
    assert len(entries(statement(READER, "kms:Decrypt"), deny("", "kms:*", **nobody))) == 1
    (everyone,) = entries(statement("", "kms:Decrypt", **but))
    assert (everyone.principal, everyone.constraint) == ("*", {"NotPrincipal": {"AWS": [ADMIN, ROOT]}})


def test_sessions_and_ids() -> None:
    """A Deny of the role takes from its session; the id of a deleted principal is nobody's caller."""
    session = f"arn:aws:sts::{HOME}:assumed-role/key-admin/alice"
    assert shown(statement(session, "kms:Decrypt"), deny(ADMIN, "kms:*")) == []
    gone = "AROAEXAMPLEEXAMPLE123"
    assert shown(statement(gone, "kms:Decrypt"), deny(ADMIN, "kms:*")) == [
        (gone, "key_policy", ("kms:Decrypt",))
    ]


def test_statements_on_other_keys_give_nothing() -> None:
    """Only a Resource that takes the key in counts; one with a variable might, so it is shown."""
    other, perhaps = KEY.replace("0d0e", "other"), "arn:aws:kms:*:*:key/${aws:PrincipalTag/key}"
    assert entries(statement(READER, "kms:Decrypt", Resource=other)) == []
    assert len(entries(statement(READER, "kms:Decrypt", Resource=KEY))) == 1
    assert len(entries(statement(READER, "kms:Decrypt", Resource=None, NotResource=perhaps))) == 1
    assert len(entries(statement(READER, "kms:Decrypt"), deny("*", "kms:*", Resource=other))) == 1


def test_a_deny_without_principal_takes_nothing() -> None:
    """A Deny that names nobody, which KMS does not store, takes nothing away."""
    assert len(entries(statement(READER, "kms:Decrypt"), deny(None, "kms:*", Principal=None))) == 1


def test_a_policy_as_text() -> None:
    """A policy is read as KMS gives it; a single statement is a list of one; a Sid may be missing."""
    text = json.dumps({"Statement": statement(READER, "kms:Sign", Sid=None)})
    (entry,) = entries_of(text, KEY)
    assert (entry.through.sid, entry.actions) == ("statement 1", ("kms:Sign",))


def test_conditions_that_are_not_understood() -> None:
    """Operators and keys that no rule knows are named; known ones are not."""
    known = {
        "StringEqualsIfExists": {"aws:SourceVpce": "v"},
        "ForAllValues:StringLike": {"kms:GrantOperations": "E"},
        "Null": {"kms:ViaService": "true"},
    }
    strange = {
        "StringResembles": {"aws:SourceVpce": "v"},
        "StringEquals": {"aws:Mood": "good"},
        "ForSome:StringEquals": {"kms:GrantOperations": "E"},
        "ForAllValues:Null": {"kms:ViaService": "true"},
    }
    document = policy(statement(READER, "kms:Decrypt", Condition={**known, **strange}))
    assert list(not_understood(document)) == [
        ("Use", "StringResembles aws:SourceVpce"),
        ("Use", "StringEquals aws:Mood"),
        ("Use", "ForSome:StringEquals kms:GrantOperations"),
        ("Use", "ForAllValues:Null kms:ViaService"),
    ]
