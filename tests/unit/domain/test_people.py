"""Who is one person, and who acts as the grantee."""

import pytest
from pydantic import TypeAdapter, ValidationError

from grant_broker.domain.arns import account_of
from grant_broker.domain.people import Caller, Grantee

PARTNER = "444455556666"
HOME = "111122223333"
SETS = ("AROASETADMIN", "AROASETAUDIT")


def session(role: str, name: str, unique_id: str, account: str = HOME) -> Caller:
    """A role session as API Gateway shows it."""
    return Caller(f"arn:aws:sts::{account}:assumed-role/{role}/{name}", account, unique_id, name)


def test_ordinary_role() -> None:
    """All sessions of an ordinary role are one person: the caller picks the session's name."""
    one, other = session("app", "alice", "AROAAPP"), session("app", "bob", "AROAAPP")
    assert one.person(SETS) == other.person(SETS) == f"{HOME}:AROAAPP"


def test_identity_center() -> None:
    """An Identity Center person is account and session name, whatever the permission set."""
    admin = session("AWSReservedSSO_Admin_1", "alice@example.com", "AROASETADMIN")
    audit = session("AWSReservedSSO_Audit_2", "alice@example.com", "AROASETAUDIT")
    other = session("AWSReservedSSO_Admin_1", "bob@example.com", "AROASETADMIN")
    assert admin.person(SETS) == audit.person(SETS) == f"identity-center:{HOME}:alice@example.com"
    assert admin.person(SETS) != other.person(SETS)


def test_identity_center_by_name_only() -> None:
    """A role that is merely named like Identity Center's cannot make persons of its sessions."""
    named = [session("AWSReservedSSO_Admin_1", name, "AROAFAKE") for name in ("alice", "bob")]
    assert {caller.person(SETS) for caller in named} == {f"{HOME}:AROAFAKE"}


def test_identity_center_of_another_account() -> None:
    """The same session name in another account is another person."""
    here = session("AWSReservedSSO_Admin_1", "alice", "AROASETADMIN")
    there = session("AWSReservedSSO_Admin_1", "alice", "AROASETADMIN", PARTNER)
    assert here.person(SETS) != there.person(SETS)


def test_recreated() -> None:
    """A role or user recreated under the old name is another person; a user is its unique id."""
    assert session("app", "s", "AROAOLD").person(SETS) != session("app", "s", "AROANEW").person(SETS)
    user = Caller(f"arn:aws:iam::{HOME}:user/alice", HOME, "AIDAALICE")
    assert user.person(("AIDAALICE",)) == f"{HOME}:AIDAALICE"


@pytest.mark.parametrize(
    ("grantee", "acts"),
    [
        (f"arn:aws:iam::{PARTNER}:role/writer", True),
        (f"arn:aws:iam::{PARTNER}:role/app/nested/writer", True),
        (f"arn:aws:sts::{PARTNER}:assumed-role/writer/nightly", True),
        (f"arn:aws:sts::{PARTNER}:assumed-role/writer/other", False),
        (f"arn:aws:iam::{PARTNER}:role/reader", False),
        (f"arn:aws:iam::{PARTNER}:role/writer/reader", False),
        (f"arn:aws:iam::{HOME}:role/writer", False),
        (f"arn:aws:iam::{PARTNER}:user/writer", False),
        ("unknown", False),
    ],
)
def test_session_as_grantee(grantee: str, *, acts: bool) -> None:
    """A session acts as itself and as its role, whose path STS does not show; as nobody else."""
    assert session("writer", "nightly", "AROAW", PARTNER).is_grantee(grantee) is acts


@pytest.mark.parametrize(
    ("grantee", "acts"),
    [
        (f"arn:aws:iam::{PARTNER}:user/team/writer", True),
        (f"arn:aws:iam::{PARTNER}:user/writer", False),
        (f"arn:aws:iam::{PARTNER}:role/writer", False),
    ],
)
def test_user_as_grantee(grantee: str, *, acts: bool) -> None:
    """A user acts as the user of exactly its ARN."""
    assert Caller(f"arn:aws:iam::{PARTNER}:user/team/writer", PARTNER, "AIDAW").is_grantee(grantee) is acts


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:iam::{PARTNER}:role/writer",
        f"arn:aws:iam::{PARTNER}:role/app/writer",
        f"arn:aws:iam::{PARTNER}:user/a+=,.@-_",
        f"arn:aws:sts::{PARTNER}:assumed-role/writer/alice@example.com",
        f"arn:aws:iam::{PARTNER}:role/{'p' * 150}/{'r' * 64}",
    ],
)
def test_grantee(arn: str) -> None:
    """A role, a user and a session may be named, with their paths."""
    assert TypeAdapter(Grantee).validate_python(arn) == arn
    assert account_of(arn) == PARTNER


@pytest.mark.parametrize(
    "arn",
    [
        *("", "*", PARTNER, "writer", f"arn:aws:iam::{PARTNER}:root", f"arn:aws:iam::{PARTNER}:group/g"),
        *(
            f"arn:aws:iam::{PARTNER}:role/*",
            f"arn:aws:iam::{PARTNER}:role/w?iter",
            f"arn:aws:iam::{PARTNER}:*",
        ),
        *(
            f"arn:aws:iam::{PARTNER}:role/",
            f"arn:aws:iam::{PARTNER}:role//writer",
            f"arn:aws:iam::{PARTNER}:role",
        ),
        *("arn:aws:iam::44445555666:role/w", "arn:aws:iam::٤٤٤٤٥٥٥٥٦٦٦٦:role/w", "arn:aws:iam:::role/w"),
        *(f"arn:aws:iam:eu-central-1:{PARTNER}:role/w", f"ARN:aws:iam::{PARTNER}:role/w"),
        *(f"arn:aws:sts::{PARTNER}:assumed-role/w", f"arn:aws:sts::{PARTNER}:assumed-role/w/a/b"),
        *(f"arn:aws:sts::{PARTNER}:federated-user/alice", f"arn:aws:iam::{PARTNER}:policy/p"),
        *("ec2.amazonaws.com", f"arn:aws:iam::{PARTNER}:role/w\n", f"arn:aws:iam::{PARTNER}:role/w r"),
        *(f"arn:aws:iam::{PARTNER}:role/{'r' * 65}", f"arn:aws:iam::{PARTNER}:role/{'p/' * 120}w"),
        *(f"arn:aws:iam::{PARTNER}:role/wr\u0131ter", "AROAEXAMPLEID"),
    ],
)
def test_no_grantee(arn: str) -> None:
    """Root, groups, services, wildcards, ids, malformed and over-long ARNs are refused."""
    with pytest.raises(ValidationError, match="without wildcards"):
        TypeAdapter(Grantee).validate_python(arn)
