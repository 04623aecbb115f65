"""Findings and counts, and what grants give."""

from datetime import UTC, datetime
from typing import Any

import pytest

from grant_broker.access_report import AccessEntry, AccessTally, KeyPolicies, Through
from grant_broker.access_report.grants import entry_of
from grant_broker.access_report.report import MOST_OF_A_KIND
from grant_broker.domain.listed_grant import ListedGrant
from tests.unit.access_report.samples import (
    ADMIN,
    APPLICATION,
    EXPIRY,
    HOME,
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
    """A grant of the broker's Name and retiring principal is its request's, and ends as the Name says."""
    entry = entry_of(grant(7), EXPIRY)
    assert entry == AccessEntry(
        principal=APPLICATION,
        actions=("kms:Encrypt",),
        through=Through("grant", grant_id=f"{7:064x}", request_id=f"{7:032x}", issued_by=ISSUED_BY),
        constraint={"EncryptionContextEquals": {"number": "7"}},
        until=UNTIL,
    )


@pytest.mark.parametrize("changes", [{"Name": "by-hand"}, {"Name": None}, {"RetiringPrincipal": READER}])
def test_a_foreign_grant(changes: dict[str, Any]) -> None:
    """Without the broker's Name and retiring principal a grant is somebody else's, and has no end."""
    entry = entry_of(grant(**changes), EXPIRY)
    assert (entry.through.request_id, entry.until, entry.through.issued_by) == (None, None, ISSUED_BY)
    assert entry_of(grant(RetiringPrincipal=READER), None).until == UNTIL


@pytest.mark.parametrize(
    "changes", [{"IssuingAccount": f"arn:aws:iam::{PARTNER}:root"}, {"IssuingAccount": None}]
)
def test_a_grant_that_is_only_named_like_ours(changes: dict[str, Any]) -> None:
    """Name and retiring principal are for whoever grants to choose: the account that issued it is not."""
    entry = entry_of(grant(**changes), EXPIRY)
    assert (entry.through.request_id, entry.until) == (None, None)
    assert entry_of(grant(RetiringPrincipal="AROAEXAMPLEEXAMPLE123"), None).through.request_id is None


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
        ({"Constraints": {"EncryptionContextSubset": {}}}, ("grant_without_constraint",)),
        ({"Constraints": {"SourceArn": "arn:aws:rds:eu-central-1:111122223333:db:x"}}, ()),
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
        grant(1),
        grant(2),
        grant(3, Name="by-hand", GranteePrincipal=READER),
        grant(4, GranteePrincipal="sqs.amazonaws.com", Name=""),
    )
    assert found.counts == {
        "principals": 4,
        "policy_entries": 2,
        "grants": 4,
        "broker_grants": 2,
        "service_grants": 1,
        "foreign_grants": 1,
        "findings": {},
    }


def test_everyone() -> None:
    """A `*` principal is a finding, whatever its conditions; its detail says whether there are any."""
    bounded = statement("*", "kms:ListGrants", Condition={"StringEquals": {"kms:CallerAccount": PARTNER}})
    found = report(policy(statement("*", "kms:Encrypt"), bounded))
    assert codes(found) == [("everyone", "*"), ("everyone", "*")]
    assert [finding.detail.rpartition(": ")[2] for finding in found.findings] == [
        "without any condition",
        "only its conditions limit it",
    ]
    assert found.findings[0].principal == "*"


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


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"ArnEquals": {"aws:PrincipalArn": APPLICATION}}, [("standing_access", APPLICATION)]),
        ({"ArnEquals": {"aws:PrincipalArn": READER}}, []),
        (
            {"StringEquals": {"kms:CallerAccount": HOME, "kms:ViaService": "s3.eu-central-1.amazonaws.com"}},
            [],
        ),
        ({"StringEquals": {"kms:CallerAccount": HOME}}, [("everyone", "*")]),
        ({"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}, [("everyone", "*")]),
        ({"StringLike": {"kms:CallerAccount": "1*", "kms:ViaService": "s3.*"}}, [("everyone", "*")]),
        (
            {
                "StringEquals": {
                    "aws:PrincipalAccount": [HOME, PARTNER],
                    "kms:ViaService": "s3.x.amazonaws.com",
                }
            },
            [("everyone", "*"), ("standing_access", f"arn:aws:iam::{PARTNER}:root")],
        ),
        (
            {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{PARTNER}:role/app/*"}},
            [("everyone", "*"), ("standing_access", f"arn:aws:iam::{PARTNER}:root")],
        ),
        ({"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/app", APPLICATION]}}, [("everyone", "*")]),
        (
            {
                "StringEquals": {"kms:CallerAccount": PARTNER},
                "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"},
            },
            [("everyone", "*")],
        ),
    ],
)
def test_everyone_narrowed(condition: dict[str, Any], found: list[tuple[str, str | None]]) -> None:
    """What conditions leave of `*` is told: one principal, the own account by a service, another account."""
    assert codes(report(policy(statement("*", "kms:Encrypt", Condition=condition)))) == found


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
    gone = {"Principal": None, "NotPrincipal": {"AWS": ["AIDAEXAMPLEEXAMPLE123", ADMIN]}, "Effect": "Deny"}
    assert codes(report(policy(statement("", "kms:Sign", **gone)))) == [
        ("deleted_principal", "AIDAEXAMPLEEXAMPLE123")
    ]
    assert codes(report("{}")) == [("key_policy_not_understood", None)]
    unreadable = report(None, grant(1, Operations=["Decrypt"]))
    assert codes(unreadable) == [("key_policy_unreadable", None), ("grant_with_decrypt", APPLICATION)]
    assert unreadable.entries == ()


def test_statements_without_effect_are_told() -> None:
    """A statement that neither allows nor denies is named with what it lacks."""
    found = report(
        policy(statement(READER, "kms:Decrypt", Resource=None), statement(ADMIN, "kms:ListGrants"))
    )
    assert [(each.code, each.detail) for each in found.findings] == [
        (
            "statement_without_effect",
            'statement "Use" of the key policy has no Resource: it neither allows nor denies',
        )
    ]


def test_a_second_policy_is_not_judged() -> None:
    """A policy beside the key policy is named as not judged; whether there is one may be unknown."""
    tally = AccessTally(KEY, retiring_principal=EXPIRY)
    second = tally.report(KeyPolicies(QUIET, ("default", "AWS_RAM")))
    assert codes(second) == [("key_policy_not_judged", None)]
    assert "AWS_RAM" in second.findings[0].detail
    assert codes(tally.report(KeyPolicies(QUIET, None))) == [("key_policies_not_listed", None)]
    assert codes(tally.report(KeyPolicies(None, None))) == [("key_policy_unreadable", None)]


def test_many_findings_of_a_kind_are_cut_and_counted() -> None:
    """Of each kind an answer holds two hundred findings and says how many are left out; counts are exact."""
    many = [
        grant(number, Constraints=None, Operations=["Encrypt"], GranteePrincipal=f"{APPLICATION}-{number}")
        for number in range(MOST_OF_A_KIND + 5)
    ]
    found = report(policy(statement(PARTNER, "kms:Encrypt")), *many)
    assert [code for code, _ in codes(found)] == [
        "standing_access",
        *["grant_without_constraint"] * MOST_OF_A_KIND,
        "more",
    ]
    assert found.findings[-1].detail.startswith("5 more findings grant_without_constraint: ")
    assert found.counts["findings"] == {"grant_without_constraint": MOST_OF_A_KIND + 5, "standing_access": 1}
    tally = AccessTally(KEY, retiring_principal=EXPIRY)
    for each in many:
        tally.add(each)
    whole = tally.report(KeyPolicies(QUIET), most_of_a_kind=None)
    assert [code for code, _ in codes(whole)] == ["grant_without_constraint"] * (MOST_OF_A_KIND + 5)


def of_service(number: int, account: str = HOME) -> ListedGrant:
    """A grant that EC2 made for a volume of its own, each for another instance."""
    instance = f"arn:aws:sts::{account}:assumed-role/aws:ec2-infrastructure/i-{number:017x}"
    return grant(
        number, Name=None, GranteePrincipal=instance, Operations=["Decrypt", "CreateGrant"], Constraints=None
    )


def test_services_do_not_hide_a_stranger() -> None:
    """A stranger's grant comes before all others; those of a service are last, and one finding."""
    stranger = grant(
        1,
        Name="mine",
        GranteePrincipal=f"arn:aws:iam::{PARTNER}:user/x",
        Operations=["CreateGrant", "Encrypt"],
        Constraints=None,
    )
    ours = grant(2, Operations=["Decrypt"])
    services = [of_service(number) for number in range(10, 1210)]
    found = report(
        policy(statement(PARTNER, "kms:Encrypt")), *services[:600], ours, stranger, *services[600:]
    )
    assert codes(found) == [
        ("grant_with_create_grant", f"arn:aws:iam::{PARTNER}:user/x"),
        ("grant_without_constraint", f"arn:aws:iam::{PARTNER}:user/x"),
        ("standing_access", f"arn:aws:iam::{PARTNER}:root"),
        ("grant_with_decrypt", APPLICATION),
        ("service_grants", "ec2-infrastructure"),
    ]
    assert found.findings[-1].detail == (
        f"1200 grants for ec2-infrastructure's own work in account {HOME}: "
        "1200 grants that let their grantee create further grants; "
        "1200 grants of cryptographic operations without an encryption context constraint; "
        "1200 grants that let their grantee decrypt"
    )
    assert found.counts["findings"]["grant_with_decrypt"] == 1201
    assert (found.counts["findings"]["service_grants"], found.counts["service_grants"]) == (1200, 1200)


def test_services_of_other_accounts_come_first() -> None:
    """What a service does for another account stands apart, and before its work for the key's own."""
    unplaced = grant(5, Name="", GranteePrincipal="sqs.amazonaws.com", Operations=["Decrypt"])
    found = report(QUIET, of_service(1), unplaced, of_service(2, PARTNER))
    assert [each.detail.partition(":")[0] for each in found.findings] == [
        f"1 grants for ec2-infrastructure's own work in account {PARTNER}",
        f"1 grants for ec2-infrastructure's own work in account {HOME}",
        "1 grants for sqs.amazonaws.com's own work",
    ]


def test_many_grants_of_one_grantee_make_one_finding() -> None:
    """The grants of one grantee that share a finding are told together, the first three by their ids."""
    tally = AccessTally(KEY, retiring_principal=EXPIRY)
    for number in range(5):
        tally.add(grant(number, Operations=["Decrypt"]))
    (finding,) = tally.report(KeyPolicies(QUIET)).findings
    ids = ", ".join(f"{number:064x}" for number in range(3))
    assert finding.detail == f"grants that let their grantee decrypt: {ids} and 2 more"
