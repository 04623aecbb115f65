"""A grant is judged by the limits that held when it was made, by versions in the approval table."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from grant_broker.aws.limits_versions import LimitsVersions
from grant_broker.domain.key_document import Comparison, KeyDocument
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.limits_in_force import LimitsVersion
from grant_broker.domain.records import ChangeOf, Stamp
from grant_broker.domain.scope import ContextMatch
from grant_broker.domain.trail import GENESIS, Event
from grant_broker.keys.versions import keep_limits
from tests.support.records import (
    CREATED,
    EXPIRES,
    ID,
    KEY,
    Scene,
    grant,
    key,
    request,
    standing,
    votes,
)  # fmt: skip

SOON = CREATED + timedelta(minutes=1)


def _key(scene: Scene) -> Key:
    found = scene.store.find_key(KEY)
    assert found
    return found


def _commit(scene: Scene, before: Key, change: ChangeOf[Key], at: datetime) -> None:
    scene.store.commit(change, others=keep_limits(scene.store, before, change.record, at))


def _change(scene: Scene, at: datetime, **limits: Any) -> None:
    """Change the key's limits at a moment, as `approvals` does."""
    before = _key(scene)
    document = KeyDocument.model_validate({**before.document.model_dump(mode="json"), **limits})
    _commit(scene, before, before.documented(document, Stamp(at, "a", f"k{at}"), Comparison()), at)


def _close(scene: Scene, at: datetime) -> None:
    before = _key(scene)
    _commit(scene, before, before.closed(Stamp(at, "a", f"c{at}")), at)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_duration": "PT1H"},
        {"quorum": 2},
        {"operations": ["GenerateDataKey"]},
        {"required_context": {"purpose": "load"}},
        {"accounts": ["666677778888"]},
        {"context_match": "equals", "max_duration": "PT5M"},
        {"approvers": ["AROASOMEBODYELSE"]},
        {"requesters": ["arn:aws:iam::444455556666:role/other"]},
        None,
    ],
)
def test_what_was_narrowed_later_ends_nothing(scene: Scene, limits: dict[str, Any] | None) -> None:
    """A grant runs on, without drift, when limits are lowered or its key is closed after it was made."""
    scene.put(key(), request(), votes(request()))
    if limits:
        _change(scene, SOON, **limits)
    else:
        _close(scene, SOON)
    assert scene.run(grant()).drift == 0
    assert scene.request() == request()


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"max_duration": "PT1H"}, "max_duration, PT1H"),
        ({"quorum": 2}, "1 of 2 votes"),
        ({"operations": ["GenerateDataKey"]}, "not offered on this key"),
        ({"required_context": {"purpose": "load"}}, "requires"),
        ({"accounts": ["666677778888"]}, "not open to its account"),
        ({"approvers": ["AROASOMEBODYELSE"]}, "0 of 1 votes"),
        (None, "not open to its account"),
    ],
)
def test_what_was_made_outside_of_the_limits_ends(
    scene: Scene, limits: dict[str, Any] | None, why: str
) -> None:
    """However they were before or have been since: what counts is the moment that KMS names."""
    scene.put(key(), request(), votes(request()))
    if limits:
        _change(scene, CREATED - timedelta(hours=1), **limits)
    else:
        _close(scene, CREATED - timedelta(hours=1))
    _change(scene, SOON, **key().document.model_dump(mode="json"))
    scene.run(grant())
    assert scene.request().status == Status.ENDING
    assert why in str(scene.request().end_reason)


def test_a_subset_under_limits_for_equals(scene: Scene) -> None:
    """A match that the key did not allow ends, too."""
    subset = request().scope.model_copy(update={"context_match": ContextMatch.SUBSET})
    scene.put(key(context_match="equals"), request(scope=subset), votes(request(scope=subset)))
    scene.run(grant(constraints={"EncryptionContextSubset": {"tenant": "a"}}))
    assert "equals only" in str(scene.request().end_reason)


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (timedelta(seconds=-10), Status.ACTIVE),
        (timedelta(seconds=29), Status.ACTIVE),
        (timedelta(seconds=31), Status.ENDING),
    ],
)
def test_limits_changed_at_the_same_time(scene: Scene, made: timedelta, status: Status) -> None:
    """An intent may be 20 s older than its grant and clocks differ by 10: the wider of both limits hold."""
    scene.put(key(), request(), votes(request()))
    _change(scene, CREATED - timedelta(days=1), quorum=1)
    _change(scene, CREATED, quorum=2)
    scene.run(grant(created_at=CREATED + made))
    assert scene.request().status == status


def test_a_forged_event_lowers_no_quorum(scene: Scene) -> None:
    """The request table, where a key's events are, says nothing about its limits."""
    scene.put(key(quorum=2), request(), votes(request()))
    forged = Event(
        id="e", subject=f"key#{KEY}", sequence=1, at=CREATED - timedelta(hours=1), type="key_changed", by="a",
        detail={"quorum": 1}, previous=GENESIS,
    ).sealed()  # fmt: skip
    scene.put(forged)
    scene.run(grant())
    assert scene.request().status == Status.ENDING


def test_votes_on_limits_change_none(scene: Scene) -> None:
    """What else happens to a key later, such as a vote on its limits, excuses no grant from its quorum."""
    scene.put(key(), request(), votes(request()))
    _change(scene, CREATED - timedelta(days=1), quorum=2)
    before = _key(scene)
    scene.store.commit(before.voted(before.document, 1, Stamp(SOON, "a", "k2")))
    scene.run(grant())
    assert scene.request().status == Status.ENDING


def test_without_versions_the_present_limits_hold(scene: Scene) -> None:
    """As for a key that an earlier release registered and that nobody has changed since."""
    scene.put(key(quorum=2), request(), votes(request()))
    scene.run(grant())
    assert scene.request().status == Status.ENDING


def test_a_time_of_which_no_version_is_known(scene: Scene) -> None:
    """Older grants are judged by the present limits: what is known is of later."""
    scene.put(key(max_duration="PT1H"), request(), votes(request()))
    scene.store.database.transact([LimitsVersions(scene.store.tables).keep(LimitsVersion.of(key(), SOON))])
    scene.run(grant())
    assert "max_duration" in str(scene.request().end_reason)


def test_a_version_that_cannot_be_read(scene: Scene) -> None:
    """It says nothing of its time, and stops nothing."""
    scene.put(key(), request(), votes(request()))
    broken = {"pk": {"S": f"key#{KEY}"}, "sk": {"S": "version#000001"}, "number": {"S": "one"}}
    scene.client.put_item(TableName="approvals", Item=broken)
    assert scene.run(grant()).drift == 0


def test_an_adopted_grant_lasts_as_long_as_the_limits_of_its_time_said(scene: Scene) -> None:
    """Its record ends it by its name, also where the key's limits are shorter by now."""
    scene.put(key(), standing())
    _change(scene, SOON, max_duration="PT1H")
    scene.run(grant())
    assert (scene.request().status, scene.request().expires_at) == (Status.ACTIVE, EXPIRES)
    assert scene.request(ID).duration == 5400 + 1800


@pytest.mark.parametrize(
    ("listed", "status"), [("AROAALICE0000000", "active"), ("AROABOB000000000", "ending")]
)
def test_votes_count_by_the_approvers_of_then(scene: Scene, listed: str, status: str) -> None:
    """A vote through a role that the key listed when the grant was made covers it, and no other does."""
    cast = [vote.model_copy(update={"role_id": "AROAALICE0000000"}) for vote in votes(request()).votes]
    scene.put(key(), request(), votes(request()).model_copy(update={"votes": tuple(cast)}))
    _change(scene, CREATED - timedelta(hours=1), approvers=[listed])
    _change(scene, SOON, approvers=["AROAALICE0000000", "AROABOB000000000"])
    scene.run(grant())
    assert scene.request().status == status
