"""Whose use a call on a key may have been, and what is known of a grant's use by then."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.usage import KeyCall, Likeness, Sighting, Usage, attribute, likeness
from tests.support.records import ACCOUNT, CREATED, GRANTEE, ID, KEY, NOW, before_intent, request

OTHER = "f" * 32
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/partner/job"
USER = f"arn:aws:iam::{ACCOUNT}:user/loader"
# As the owner of a key is told of another account's principal.
BY_ID: dict[str, Any] = {"principal": None, "principal_id": "AROAPARTNER:job"}
UNKNOWN: dict[str, Any] = {"requester_arn": f"arn:aws:iam::{ACCOUNT}:role/asker", "requester_person": "asker"}
NO, POSSIBLE, SAME = Likeness.NO, Likeness.POSSIBLE, Likeness.SAME


def call(**changes: Any) -> KeyCall:
    """A call by a session of the grantee's, within the grant."""
    given: dict[str, Any] = {
        "event_id": "e", "at": NOW, "account": ACCOUNT, "principal": SESSION,
        "principal_id": "AROAPARTNER:job", "key_arn": KEY, "operation": "Encrypt",
        "encryption_context": {"tenant": "a"},
    }  # fmt: skip
    return KeyCall(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, SAME),
        ({"principal": GRANTEE}, SAME),
        ({"key_arn": KEY + "0"}, NO),
        ({"account": "666677778888"}, NO),
        ({"operation": "Decrypt"}, NO),
        ({"encryption_context": {}}, NO),
        ({"encryption_context": {"tenant": "b"}}, NO),
        ({"encryption_context": {"tenant": "a", "more": "x"}}, NO),
        # KMS may ignore the case of a constraint's keys: what it may have allowed counts.
        ({"encryption_context": {"Tenant": "a"}}, SAME),
        ({"principal": f"arn:aws:sts::{ACCOUNT}:assumed-role/other/job"}, NO),
        ({"at": CREATED - timedelta(seconds=10)}, SAME),
        ({"at": CREATED - timedelta(seconds=11)}, NO),
    ],
)
def test_what_the_grant_would_have_allowed(changes: dict[str, Any], expected: Likeness) -> None:
    """A call counts by its key, account, caller, operation, context and time, all of them."""
    assert likeness(request(), call(**changes)) == expected


def test_more_pairs_under_subset() -> None:
    """Under `subset` a call may have more pairs, as KMS lets it."""
    scope = request().scope.model_copy(update={"context_match": "subset"})
    more = {"tenant": "a", "more": "x"}
    assert likeness(request(scope=scope), call(encryption_context=more)) == SAME
    assert likeness(request(scope=scope), call(encryption_context={"more": "x"})) == NO


def test_until_kms_has_forgotten_it() -> None:
    """KMS may serve a grant for five minutes after its end, and no longer; before an intent there is none."""
    ended = request(status=Status.EXPIRED, ended_at=NOW, action=None, due=None)
    assert likeness(ended, call(at=NOW + timedelta(minutes=5, seconds=10))) == SAME
    assert likeness(ended, call(at=NOW + timedelta(minutes=5, seconds=11))) == NO
    assert likeness(before_intent(Status.APPROVED), call()) == NO
    assert likeness(request(intent_at=None), call()) == SAME


@pytest.mark.parametrize(
    ("of_request", "of_call", "expected"),
    [
        # Who asked for itself is known by its unique id, which the API was told.
        ({}, BY_ID, SAME),
        ({"requester_arn": SESSION}, BY_ID, SAME),
        ({"requester_arn": SESSION}, {**BY_ID, "principal_id": "AROAOTHER:job"}, NO),
        # Of whoever was named by somebody else the id is not known: any role of the account may be it.
        (UNKNOWN, BY_ID, POSSIBLE),
        (UNKNOWN, {**BY_ID, "principal_id": "AIDALOADER"}, NO),
        (UNKNOWN, {**BY_ID, "principal_id": ""}, POSSIBLE),
        ({**UNKNOWN, "grantee": USER}, {**BY_ID, "principal_id": "AIDALOADER"}, POSSIBLE),
        ({**UNKNOWN, "grantee": USER}, BY_ID, NO),
        ({**UNKNOWN, "grantee": SESSION}, BY_ID, POSSIBLE),
        ({**UNKNOWN, "grantee": SESSION}, {**BY_ID, "principal_id": "AROAPARTNER:another"}, NO),
        # People behind Identity Center share a role: its id does not tell them apart.
        ({"requester_person": f"identity-center:{ACCOUNT}:job"}, BY_ID, POSSIBLE),
        ({**UNKNOWN, "grantee": USER}, {"principal": USER}, SAME),
    ],
)
def test_who_called(of_request: dict[str, Any], of_call: dict[str, Any], expected: Likeness) -> None:
    """Without an ARN a caller is known by an id that the API was told, excluded by one, or only possible."""
    assert likeness(request(**of_request), call(**of_call)) == expected


def test_a_call_that_fits_two_requests() -> None:
    """What may have been under either of two grants is told of both, of neither for certain."""
    one, two = request(), request(id=OTHER)
    assert attribute([call()], [one, two]) == {
        ID: [Sighting(NOW, certain=False)],
        OTHER: [Sighting(NOW, certain=False)],
    }
    assert attribute([call()], [one]) == {ID: [Sighting(NOW, certain=True)]}
    assert attribute([call(**BY_ID)], [request(**UNKNOWN)]) == {ID: [Sighting(NOW, certain=False)]}
    assert attribute([call(operation="Decrypt")], [one]) == {}


def test_an_event_that_comes_twice_in_a_batch() -> None:
    """The same event is one use, however often a batch holds it."""
    assert attribute([call(), call(), call(event_id="f")], [request()]) == {
        ID: [Sighting(NOW, certain=True), Sighting(NOW, certain=True)]
    }


def seen(*minutes: int, certain: bool = True) -> list[Sighting]:
    """Sightings so many minutes after now."""
    return [Sighting(NOW + timedelta(minutes=each), certain=certain) for each in minutes]


def test_first_and_last() -> None:
    """The first and the last use are kept, and how many were seen at least."""
    used = Usage(request_id=ID).after(seen(2, 1, 3), NOW)
    assert used is not None
    assert (used.first_seen_at, used.last_seen_at) == (seen(1)[0].at, seen(3)[0].at)
    assert (used.count, used.certain, used.written_at) == (3, True, NOW)


def test_what_comes_again_is_not_counted_again() -> None:
    """What is no later than the last use is not counted; if it was before the first, that is told."""
    used = Usage(request_id=ID).after(seen(2, 3), NOW)
    assert used is not None
    again = used.after(seen(1, 2, 3), NOW + timedelta(minutes=1))
    assert again is not None
    assert (again.count, again.first_seen_at, again.last_seen_at) == (2, seen(1)[0].at, used.last_seen_at)


def test_written_once_a_minute() -> None:
    """Within a minute nothing more is written, but that a use is certain by now."""
    used = Usage(request_id=ID).after(seen(0, certain=False), NOW)
    assert used is not None
    assert not used.certain
    assert used.after(seen(1, certain=False), NOW + timedelta(seconds=59)) is None
    assert used.after(seen(1, certain=False), NOW + timedelta(seconds=60)) is not None
    sure = used.after(seen(1), NOW + timedelta(seconds=1))
    assert sure is not None
    assert sure.certain
    assert sure.after(seen(2, certain=False), NOW + timedelta(seconds=60)) is None
    assert used.after([], NOW + timedelta(hours=1)) is None


def test_where_it_is_kept() -> None:
    """Each request's usage is alone in a partition, listed once it was seen."""
    unseen = Usage(request_id=ID)
    assert (unseen.key, unseen.indexed) == ((f"usage#{ID}", "usage"), {})
    used = unseen.after(seen(0), NOW)
    assert used is not None
    assert used.indexed["kind"] == "usage"
