"""Findings and counts, and what grants give."""

from datetime import UTC, datetime
from typing import Any

import pytest

from grant_broker.access_report import Tally
from grant_broker.access_report.grants import entry_of
from grant_broker.access_report.report import MOST_FINDINGS
from tests.unit.access_report.samples import (  # fmt: skip
    ADMIN,
    APPLICATION,
    EXPIRY,
    ISSUED_BY,
    KEY,
    PARTNER,
    READER,
    ROOT,
    codes,
    grant,
    policy,
    report,
    statement,
)

UNTIL = datetime.fromtimestamp(1_900_000_000, UTC)
QUIET = policy(statement(ADMIN, "kms:PutKeyPolicy"))


def test_a_grant_of_the_broker() -> None:
    """A grant of the broker's Name and retiring principal is shown with its request and its end."""
    view = entry_of(grant(7), EXPIRY).view()
    assert view == {
        "principal": APPLICATION,
        "actions": ["kms:Encrypt"],
        "through": {
            "kind": "grant", "grant_id": f"{7:064x}", "request_id": f"{7:032x}", "issued_by": ISSUED_BY,
        },
        "constraint": {"EncryptionContextEquals": {"number": "7"}},
        "until": "2030-03-17T17:46:40Z",
        "findings": [],
    }  # fmt: skip


@pytest.mark.parametrize("changes", [{"Name": "by-hand"}, {"Name": None}, {"RetiringPrincipal": READER}])
def test_a_foreign_grant(changes: dict[str, Any]) -> None:
    """Without the broker's Name and retiring principal a grant is somebody else's, and has no end."""
    entry = entry_of(grant(**changes), EXPIRY)
    assert (entry.through.request_id, entry.until, entry.through.issued_by) == (None, None, ISSUED_BY)
    assert entry_of(grant(RetiringPrincipal=READER), None).until == UNTIL


@pytest.mark.parametrize(
    ("changes", "service"),
    [
        ({"GranteePrincipal": "dynamodb.eu-central-1.amazonaws.com"}, "dynamodb.eu-central-1.amazonaws.com"),
        ({"GranteePrincipal": None, "GranteeServicePrincipal": "sqs.amazonaws.com"}, "sqs.amazonaws.com"),
        ({"IssuingAccount": "rds.amazonaws.com"}, "rds.amazonaws.com"),
        (
            {"GranteePrincipal": f"arn:aws:sts::{PARTNER}:assumed-role/aws:ec2-infrastructure/i-0abc"},
            "ec2-infrastructure",
        ),
        (
            {
                "GranteePrincipal": f"arn:aws:iam::{PARTNER}:role/aws-service-role/autoscaling.amazonaws.com/"
                "AWSServiceRoleForAutoScaling"
            },
            "autoscaling.amazonaws.com",
        ),
        ({}, None),
    ],
)
def test_a_grant_of_a_service(changes: dict[str, Any], service: str | None) -> None:
    """A grant to, or by, an AWS service says which."""
    assert entry_of(grant(Name="theirs", **changes), EXPIRY).through.service == service


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"Constraints": None}, ("grant_without_constraint",)),
        ({"Constraints": {}}, ("grant_without_constraint",)),
        ({"Constraints": None, "Operations": ["DescribeKey"]}, ()),
        ({"Operations": ["Decrypt"]}, ("grant_with_decrypt",)),
        ({"Operations": ["CreateGrant"]}, ("grant_with_create_grant",)),
        ({"GranteePrincipal": "AROAEXAMPLEEXAMPLE123"}, ("grant_to_deleted_principal",)),
        ({"GranteePrincipal": "AROAEXAMPLEEXAMPLE123:session"}, ("grant_to_deleted_principal",)),
        ({"GranteePrincipal": None, "Operations": None}, ()),
    ],
)
def test_what_is_wrong_with_a_grant(changes: dict[str, Any], found: tuple[str, ...]) -> None:
    """Each grant carries its findings, and the report counts them."""
    assert entry_of(grant(**changes), EXPIRY).findings == found
    counted = report(QUIET, grant(**changes)).counts["findings"]
    assert counted == dict.fromkeys(found, 1)


def test_duplicates() -> None:
    """A second grant of the same operations and constraint to the same grantee is one too many."""
    same = {"Constraints": {"EncryptionContextEquals": {"a": "1", "b": "2"}}}
    turned = {"Constraints": {"EncryptionContextEquals": {"b": "2", "a": "1"}}}
    found = report(QUIET, grant(1, **same), grant(2, **turned), grant(3, **same), grant(4))
    assert codes(found) == [("duplicate_grant", APPLICATION)]
    assert found.findings[0].detail == f"grants of what another grant gives already: {2:064x}, {3:064x}"
    assert found.counts["findings"] == {"duplicate_grant": 2}


def test_one_grant_seen_twice_is_no_duplicate() -> None:
    """KMS may show a grant on two pages while grants are made: the same id is no duplicate."""
    assert codes(report(QUIET, grant(1), grant(1))) == []


def test_counts() -> None:
    """The counts tell whose the grants are, and how many principals there are in all."""
    found = report(
        policy(statement([ADMIN, READER], "kms:ListGrants")),
        grant(1), grant(2), grant(3, Name="by-hand", GranteePrincipal=READER),
        grant(4, GranteePrincipal="sqs.amazonaws.com", Name=""),
    )  # fmt: skip
    assert found.counts == {
        "principals": 4, "policy_entries": 2, "grants": 4, "broker_grants": 2, "service_grants": 1,
        "foreign_grants": 1, "findings": {},
    }  # fmt: skip


def test_everyone() -> None:
    """A `*` principal is a finding, whatever its conditions; its detail says whether there are any."""
    bounded = statement("*", "kms:ListGrants", Condition={"StringEquals": {"kms:CallerAccount": PARTNER}})
    found = report(policy(statement("*", "kms:Encrypt"), bounded))
    assert codes(found) == [("everyone", "*"), ("everyone", "*")]
    assert [finding.detail.rpartition(": ")[2] for finding in found.findings] == [
        "without any condition",
        "only its conditions limit it",
    ]
    assert found.findings[0].view().keys() == {"code", "detail", "principal"}


def test_standing_access_that_a_grant_should_replace() -> None:
    """Another account's standing use is one, and that of whoever holds grants besides; a dated one is not."""
    dated = {"Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01"}}}
    found = report(
        policy(
            statement([APPLICATION, READER, ROOT, PARTNER, "logs.amazonaws.com"], "kms:Encrypt"),
            statement(APPLICATION, "kms:DescribeKey"),
            statement(APPLICATION, "kms:Encrypt", **dated),
        ),
    )
    assert codes(found) == [
        ("standing_access", APPLICATION),
        ("standing_access", f"arn:aws:iam::{PARTNER}:root"),
    ]
    both = report(policy(statement(READER, "kms:Encrypt")), grant(GranteePrincipal=READER))
    assert codes(both) == [("standing_access", READER)]
    assert (
        codes(report(policy(statement(READER, "kms:Encrypt")), grant(Name="", GranteePrincipal=READER))) == []
    )


def test_use_held_by_administrators() -> None:
    """Who manages the key and may use it, by policy or by grant, is one; the root user alone is not."""
    root_user = {"Condition": {"ArnEquals": {"aws:PrincipalArn": ROOT}}}
    kept = policy(statement(ROOT, "kms:*", **root_user), statement(ROOT, "kms:PutKeyPolicy"))
    assert codes(report(kept)) == []
    assert codes(report(policy(statement(ROOT, "kms:*")))) == [("administrator_use", ROOT)]
    split = policy(statement(ADMIN, "kms:PutKeyPolicy"), statement(ADMIN, "kms:Decrypt"))
    assert report(split).findings[0].detail == "manages the key and may use it: kms:Decrypt"
    assert codes(report(QUIET, grant(GranteePrincipal=ADMIN))) == [("administrator_use", ADMIN)]


def test_what_cannot_be_understood() -> None:
    """A condition that no rule knows, a deleted principal, a policy that is none: each is told."""
    strange = statement(
        "AROAEXAMPLEEXAMPLE123", "kms:Decrypt", Condition={"StringEquals": {"aws:Mood": "good"}}
    )
    assert codes(report(policy(strange))) == [
        ("deleted_principal", "AROAEXAMPLEEXAMPLE123"),
        ("condition_not_understood", None),
    ]
    assert codes(report("{}")) == [("key_policy_not_understood", None)]
    unreadable = report(None, grant(1, Operations=["Decrypt"]))
    assert codes(unreadable) == [("key_policy_unreadable", None), ("grant_with_decrypt", APPLICATION)]
    assert unreadable.entries == ()


def test_many_findings_are_cut_and_counted() -> None:
    """One answer holds a thousand findings and says how many more there are; the counts stay exact."""
    many = [
        grant(number, Constraints=None, Operations=["Encrypt"], GranteePrincipal=f"{APPLICATION}-{number}")
        for number in range(MOST_FINDINGS + 5)
    ]
    found = report(QUIET, *many)
    assert len(found.findings) == MOST_FINDINGS + 1
    assert found.findings[-1].detail == "5 more: each grant's entry has its own findings"
    assert found.counts["findings"] == {"grant_without_constraint": MOST_FINDINGS + 5}


def test_many_grants_of_one_grantee_make_one_finding() -> None:
    """The grants of one grantee that share a finding are told together, the first three by their ids."""
    tally = Tally(KEY, retiring_principal=EXPIRY)
    for number in range(5):
        tally.add(grant(number, Operations=["Decrypt"]))
    (finding,) = tally.report(QUIET).findings
    ids = ", ".join(f"{number:064x}" for number in range(3))
    assert finding.detail == f"grants that let their grantee decrypt: {ids} and 2 more"
