"""Who is a party to what is voted on, for certain or perhaps."""

import pytest

from grant_broker.domain.parties import Party, Requester, Voter, party

HOME, PARTNER = "111122223333", "444455556666"
STS, IAM = f"arn:aws:sts::{HOME}:assumed-role", f"arn:aws:iam::{HOME}:role"
LISTED = "AWSReservedSSO_Admin_1"
ALICE = Voter(f"{STS}/{LISTED}/alice", f"identity-center:{HOME}:alice", "alice")
DUTY = Voter(f"{STS}/key-duty/monday", f"{HOME}:AROADUTY", "monday")
NO, SUSPECTED, YES = Party.NO, Party.SUSPECTED, Party.YES


@pytest.mark.parametrize(
    ("arn", "person", "found"),
    [
        (f"{STS}/AWSReservedSSO_Audit_2/alice", f"identity-center:{HOME}:alice", YES),
        (f"{STS}/{LISTED}/bob", f"identity-center:{HOME}:bob", NO),
        (f"{STS}/AWSReservedSSO_Other_9/alice", f"{HOME}:AROAOTHER", SUSPECTED),
        (f"{STS}/AWSReservedSSO_Other_9/Alice", f"{HOME}:AROAOTHER", SUSPECTED),
        (f"{STS}/AWSReservedSSO_Other_9/bob", f"{HOME}:AROAOTHER", NO),
        (
            f"arn:aws:sts::{PARTNER}:assumed-role/AWSReservedSSO_Writer_3/alice",
            f"{PARTNER}:AROAWRITER",
            SUSPECTED,
        ),
        (f"{STS}/application/alice", f"{HOME}:AROAAPP", NO),
        (f"arn:aws:iam::{HOME}:user/alice", f"{HOME}:AIDAALICE", NO),
    ],
)
def test_requester(arn: str, person: str, found: Party) -> None:
    """One's own request is the same person's; perhaps, one's namesake's under an unlisted set."""
    assert party(ALICE, requester=Requester(arn, person), grantee=None) == found


@pytest.mark.parametrize(
    ("grantee", "found"),
    [
        (None, NO),
        (f"{IAM}/aws-reserved/sso.amazonaws.com/{LISTED}", YES),
        (f"{STS}/{LISTED}/alice", YES),
        (f"{STS}/AWSReservedSSO_Audit_2/alice", SUSPECTED),
        (f"{STS}/AWSReservedSSO_Audit_2/bob", NO),
        (f"{IAM}/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit_2", SUSPECTED),
        (f"arn:aws:iam::{PARTNER}:role/AWSReservedSSO_Audit_2", SUSPECTED),
        (f"{STS}/application/alice", NO),
        (f"arn:aws:iam::{PARTNER}:role/writer", NO),
    ],
)
def test_grantee(grantee: str | None, found: Party) -> None:
    """What one would hold is one's own; what an Identity Center role would hold may be."""
    assert party(ALICE, requester=None, grantee=grantee) == found


@pytest.mark.parametrize(
    ("grantee", "found"),
    [
        (f"{STS}/key-duty/monday", YES),
        (f"{STS}/key-duty/tuesday", YES),
        (f"{IAM}/on/key-duty", YES),
        (f"arn:aws:sts::{PARTNER}:assumed-role/key-duty/tuesday", NO),
        (f"{STS}/another/monday", NO),
        (f"arn:aws:iam::{HOME}:user/key-duty", NO),
    ],
)
def test_grantee_of_an_ordinary_role(grantee: str, found: Party) -> None:
    """The caller picks the session name: what another session of the role is granted is one's own."""
    assert party(DUTY, requester=None, grantee=grantee) == found


def test_a_user_has_no_session_name() -> None:
    """An IAM user is suspected by no session name."""
    user = Voter(f"arn:aws:iam::{HOME}:user/alice", f"{HOME}:AIDAALICE", None)
    requester = Requester(f"{STS}/AWSReservedSSO_Other_9/alice", f"{HOME}:AROAOTHER")
    assert party(user, requester=requester, grantee=None) == NO
