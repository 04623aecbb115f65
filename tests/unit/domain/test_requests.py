"""A request: what it says, what it is called at KMS, and who may touch it."""

from datetime import timedelta

import pytest

from grant_broker.domain.errors import Conflict
from grant_broker.domain.grant_name import grant_name, parse_grant_name
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.parties import Requester
from grant_broker.domain.people import Caller
from grant_broker.domain.records import Stamp
from grant_broker.domain.request import at_latest
from grant_broker.domain.transitions import withdrawn
from tests.support.records import ACCOUNT, EXPIRES, GRANTEE, ID, KEY, NOW, SCOPE, before_intent, request


def test_name() -> None:
    """The grant's name tells the request and its end; an adopted grant keeps the name that KMS shows."""
    name = f"grant-broker/{ID}/{int(EXPIRES.timestamp())}"
    assert request().grant_name == grant_name(ID, EXPIRES) == name
    assert parse_grant_name(name) == (ID, int(EXPIRES.timestamp()))
    assert request(kms_name="odd").grant_name == "odd"
    with pytest.raises(Conflict, match="no expiry"):
        _ = before_intent(Status.APPROVED).grant_name


@pytest.mark.parametrize(
    "name",
    [
        "", "grant-broker/", f"grant-broker/{ID}", f"grant-broker/{ID}/", f"grant-broker/{ID}/123",
        f"other/{ID}/1767225600",
        f"grant-broker/{ID[1:]}/1767225600", f"grant-broker/{ID.upper()}/1767225600",
        f"grant-broker/{ID}/1767225600\n",
        f"grant-broker/{ID}/17672256001", f" grant-broker/{ID}/1767225600", f"grant-broker/{ID}/-767225600",
    ],
)  # fmt: skip
def test_no_name(name: str) -> None:
    """Every other name is none of the broker's."""
    assert parse_grant_name(name) is None


def test_digest() -> None:
    """An approver agrees to what was submitted: what is decided or happens later changes nothing of it."""
    same = request(status=Status.ENDING, duration=60, version=9, decisions=(), expires_at=NOW, approval="a")
    assert same.digest == request().digest
    others = [
        request(**{field: value})
        for field, value in {
            "id": "0" * 32, "requester_arn": "x", "requester_person": "x", "account": "x",
            "grantee": "x", "key_arn": "x",
            "scope": SCOPE.model_copy(update={"operations": ("Decrypt",)}),
            "asked_duration": 60, "starts_at": NOW,
            "reason": "x", "ticket": "x", "extends": "x",
        }.items()
    ]  # fmt: skip
    assert len({request().digest, *(other.digest for other in others)}) == len(others) + 1


@pytest.mark.parametrize(
    ("status", "seconds", "outlasts"),
    [
        (Status.ACTIVE, 60, True),
        (Status.ACTIVE, 61, False),
        # The end is a whole second, and never later than agreed.
        (Status.ACTIVE, 60.999, True),
        (Status.ENDING, 60, False),
        (Status.EXPIRED, 60, False),
    ],
)
def test_what_an_extension_must_outlast(status: Status, seconds: float, *, outlasts: bool) -> None:
    """A live grant until its own end; one that ends now, or has ended, is outlasted by any."""
    old = request(status=status)
    at = EXPIRES - timedelta(seconds=3600) + timedelta(seconds=seconds - 60)
    assert old.outlasts(3600, at) is outlasts
    assert not request(status=status, expires_at=None).outlasts(3600, at)


def test_asked() -> None:
    """What an approval must cover is the request as it is now, at a moment."""
    asked = request(duration=60).asked(NOW)
    assert (asked.key_arn, asked.account, asked.grantee, asked.scope) == (KEY, ACCOUNT, GRANTEE, SCOPE)
    assert (asked.duration, asked.at, asked.digest) == (60, NOW, request().digest)
    assert asked.requester == Requester(GRANTEE, "444455556666:AROAPARTNER")


def test_begins() -> None:
    """A request begins when it is made, or at a later start."""
    made = request().created_at
    starts = [None, made - timedelta(minutes=1), made, made + timedelta(hours=1)]
    assert [request(starts_at=start).begins - made for start in starts] == [timedelta()] * 3 + [
        timedelta(hours=1)
    ]


@pytest.mark.parametrize(
    ("arn", "person", "may"),
    [
        ("arn:aws:iam::444455556666:user/x", "444455556666:AROAPARTNER", True),
        ("arn:aws:sts::444455556666:assumed-role/partner/nightly", "444455556666:AROANEW", True),
        ("arn:aws:sts::444455556666:assumed-role/other/nightly", "444455556666:AROAOTHER", False),
    ],
)
def test_belongs_to(arn: str, person: str, *, may: bool) -> None:
    """A request is its requester's person's and its grantee's, and no colleague's."""
    assert request().belongs_to(Caller(arn, ACCOUNT, "x"), person) is may


def test_agenda() -> None:
    """What is due is rounded up to the whole second, and a transition clears what was due before it."""
    for early, due in ((0, 0), (1, 1), (999_999, 1)):
        at = NOW + timedelta(microseconds=early)
        assert at_latest(at) == int(NOW.timestamp()) + due
    done = withdrawn(before_intent(Status.APPROVED, attempts=3), Stamp(NOW, "a", "e"))
    assert (done.record.action, done.record.due, done.record.attempts) == (None, None, 0)
    assert done.event is not None
    assert (done.event.type, done.event.request_id) == ("withdrawn", ID)
