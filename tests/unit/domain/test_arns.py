"""ARNs: which are keys, which are grantees, and what is in them."""

import re

import pytest
from pydantic import BaseModel, ValidationError

from grant_broker.domain import arns
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.standing_approval import StandingApproval
from grant_broker.domain.submission import Submission

A = "444455556666"
KEY = f"arn:aws:kms:eu-central-1:{A}:key/mrk-0d0e"
ROLE = f"arn:aws:iam::{A}:role/app/team/writer"
USER = f"arn:aws:iam::{A}:user/john"
SESSION = f"arn:aws:sts::{A}:assumed-role/writer/night@run"


@pytest.mark.parametrize(
    ("pattern", "arn"),
    [(arns.KEY, KEY), (arns.ROLE, ROLE), (arns.USER, USER), (arns.SESSION, SESSION)],
)
def test_forms(pattern: re.Pattern[str], arn: str) -> None:
    """Each kind is told by its whole text, in the partition `aws` alone."""
    assert pattern.fullmatch(arn)
    for other in (arn.replace(":aws:", ":aws-cn:"), f"{arn}/*", f"{arn}\n", arn.replace(A, "1"), arn[3:]):
        assert not pattern.fullmatch(other)


@pytest.mark.parametrize(
    ("arn", "is_one"),
    [
        (ROLE, True), (USER, True), (SESSION, True), (KEY, False), (f"arn:aws:iam::{A}:root", False),
        (f"arn:aws:iam::{A}:group/all", False), (f"arn:aws:iam::{A}:role/*", False), (A, False),
        ("lambda.amazonaws.com", False), ("AROAEXAMPLE0000", False), (f"arn:aws:iam::{A}:role/é", False),
    ],
)  # fmt: skip
def test_grantees(arn: str, *, is_one: bool) -> None:
    """A grantee is one role, user or session."""
    assert bool(arns.GRANTEE.fullmatch(arn)) is is_one


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-b"])
def test_other_partitions(partition: str) -> None:
    """Another partition is refused in words; what is no ARN at all is for others to judge."""
    for arn in (KEY, ROLE, USER, SESSION):
        with pytest.raises(ValueError, match="partition aws only"):
            arns.refuse_other_partition(arn.replace(":aws:", f":{partition}:"))
        assert arns.refuse_other_partition(arn) == arn
    assert arns.refuse_other_partition("partner_data") == "partner_data"


def test_parts() -> None:
    """Account, Region, key id, role and session name are read from where they stand."""
    assert [arns.account_of(arn) for arn in (KEY, ROLE, USER, SESSION)] == [A] * 4
    assert (arns.region_of(KEY), arns.key_id_of(KEY)) == ("eu-central-1", "mrk-0d0e")
    assert [arns.role_of(arn) for arn in (ROLE, SESSION, USER)] == [(A, "writer"), (A, "writer"), None]
    assert [arns.find_session_name(arn) for arn in (ROLE, SESSION)] == [None, "night@run"]


@pytest.mark.parametrize("text", ["AROAEXAMPLE0000", "lambda.amazonaws.com", "", "arn:aws:iam", "*", A])
def test_no_account(text: str) -> None:
    """What KMS shows in the place of a principal may have no account."""
    assert arns.find_account(text) is None
    with pytest.raises(ValueError, match="account"):
        arns.account_of(text)


def test_made() -> None:
    """ARNs that are made have the form that is asked for."""
    assert arns.KEY.fullmatch(arns.key_arn("eu-central-1", A, "0d0e"))
    assert arns.ROLE.fullmatch(arns.role_arn(A, "writer"))
    assert arns.root_arn(A) == f"arn:aws:iam::{A}:root"


@pytest.mark.parametrize(
    ("model", "field", "arn"),
    [
        (Submission, "key", KEY),
        (Submission, "grantee", ROLE),
        (StandingApproval, "key", KEY),
        (StandingApproval, "grantee", SESSION),
        (KeyDocument, "key_arn", KEY),
    ],
)
def test_the_partition_is_said_wherever_an_arn_is_given(model: type[BaseModel], field: str, arn: str) -> None:
    """Who gives an ARN of another partition is told that, not that it is no ARN."""
    with pytest.raises(ValidationError) as refused:
        model.model_validate({field: arn.replace(":aws:", ":aws-us-gov:")})
    [said] = [error["msg"] for error in refused.value.errors() if error["loc"] == (field,)]
    assert "the broker serves the partition aws only" in said
    with pytest.raises(ValidationError) as otherwise:
        model.model_validate({field: arn})
    assert (field,) not in [error["loc"] for error in otherwise.value.errors()]
