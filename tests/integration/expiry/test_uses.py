"""That a request was used: marked in the transaction that closes it, by whatever way its grant ended."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.uses import Use
from grant_broker.reconcile.run import reconcile
from tests.support.faults import lost, refused
from tests.support.scene import START, InProcessStack


def _use(scene: InProcessStack, request_id: str) -> Use | None:
    """As a function with the right to look finds it; `expiry` only writes."""
    return scene.brokers.broker("reconcile").store.uses.find(request_id)


@pytest.mark.parametrize(
    ("by", "status"),
    [("nobody", Status.EXPIRED), ("release", Status.RELEASED), ("revoke", Status.REVOKED)],
)
def test_a_request_is_used_once_its_grant_has_ended(scene: InProcessStack, by: str, status: Status) -> None:
    """Expired, released or revoked: when, and which grant; not before."""
    request_id = scene.active(duration="PT10S")
    grant_id = scene.request(request_id).grant_id
    if by != "nobody":
        assert getattr(scene, by)(request_id).status == 202
    assert _use(scene, request_id) is None
    scene.clock.sleep(10)
    scene.expire(1)
    assert scene.status(request_id) == status
    ended = scene.request(request_id).ended_at
    assert _use(scene, request_id) == Use(
        request_id=request_id, at=ended, key_arn=scene.key_arn, grant_ids=(grant_id,)
    )


def test_an_end_that_kms_refuses_uses_nothing_up(scene: InProcessStack) -> None:
    """While its grant lives a request is not used."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with scene.faults(dict.fromkeys(("RetireGrant", "RevokeGrant"), refused("ThrottlingException"))):
        scene.expire(1)
    assert (scene.status(request_id), _use(scene, request_id)) == (Status.ACTIVE, None)


def test_one_transaction(scene: InProcessStack) -> None:
    """Record, event and mark are written together or not at all, and the next attempt writes them."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)

    def closes(call: Any) -> bool:
        return "used#" in str(call.parameters)

    with scene.faults({"TransactWriteItems": [refused("AccessDeniedException"), None]}, when=closes) as calls:
        scene.expire(0.5)
        assert (scene.status(request_id), _use(scene, request_id)) == (Status.ACTIVE, None)
        scene.later(301)
    assert (scene.status(request_id), len(calls)) == (Status.EXPIRED, 2)
    writes = [one["Put"]["Item"]["sk"]["S"] for one in calls[-1].parameters["TransactItems"]]
    assert [sort.split("#")[0] for sort in writes] == ["request", "event", "used"]


def test_a_lost_answer(scene: InProcessStack) -> None:
    """A closing whose answer is lost has happened: the repeat finds its own write."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with scene.faults(
        {"TransactWriteItems": [lost, None]}, when=lambda call: "used#" in str(call.parameters)
    ) as calls:
        scene.expire(0.5)
        scene.later(20)
    assert (scene.status(request_id), len(calls)) == (Status.EXPIRED, 2)
    assert scene.measured("EndFailures") == []
    assert scene.trail(request_id).count("expired") == 1
    assert _use(scene, request_id)


def test_whoever_writes_the_record_meanwhile(scene: InProcessStack) -> None:
    """The mark is written all the same: a function taken over must not keep an end from being known."""
    request_id = scene.active(duration="PT10S")
    grant_id = scene.request(request_id).grant_id
    scene.clock.sleep(10)
    with scene.meanwhile("RetireGrant", lambda: scene.alter(request_id, version={"N": "99"})):
        scene.expire(0.5)
    assert (scene.status(request_id), scene.grants()) == (Status.ACTIVE, [])
    use = _use(scene, request_id)
    assert use
    assert use.grant_ids == (grant_id,)


def test_a_late_duplicate_is_marked_as_well(scene: InProcessStack) -> None:
    """Both grants are named, so that neither counts as made after the end while KMS shows it still."""
    request_id = scene.active(duration="PT10S")
    [first] = scene.grants()
    scene.later(11)
    assert scene.status(request_id) == Status.EXPIRED
    taken = ("KeyId", "GranteePrincipal", "RetiringPrincipal", "Operations", "Constraints", "Name")
    second = scene.kms.create_grant(**{name: first[name] for name in taken})["GrantId"]
    scene.later(301)
    assert scene.grants() == []
    use = _use(scene, request_id)
    assert use
    assert use.grant_ids == (first["GrantId"], second)
    assert use.at >= START + timedelta(seconds=301)


def test_a_request_without_a_grant_is_not_used(scene: InProcessStack) -> None:
    """What lapses or fails never had one."""
    lapsed, failed = scene.pending(), scene.approved()
    with scene.faults({"CreateGrant": refused("DisabledException")}):
        assert scene.take_up(failed).status == 409
    scene.later(8 * 86_400)
    scene.expire(5)
    assert (scene.status(lapsed), scene.status(failed)) == (Status.LAPSED, Status.FAILED)
    assert _use(scene, lapsed) is _use(scene, failed) is None


def test_a_forged_key_ends_nothing(scene: InProcessStack) -> None:
    """A record that looks for its grant on another key closes; the grant is not taken for ended, and ends."""
    request_id = scene.active(duration="PT10M")
    grant_id = scene.request(request_id).grant_id
    elsewhere = {"key_arn": {"S": f"{scene.key_arn[:-1]}x"}, "status": {"S": "ending"}}
    now = {"end_as": {"S": "revoked"}, "due": {"N": str(int(scene.clock.now.timestamp()))}}
    scene.alter(request_id, **elsewhere, **now, grant_token={"NULL": True})
    scene.expire(1)
    assert (scene.status(request_id), len(scene.grants())) == (Status.REVOKED, 1)
    report = reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    assert report.drift == 1
    scene.expire(1)
    assert grant_id not in [grant["GrantId"] for grant in scene.grants()]


def test_a_grant_that_was_found_by_its_name_is_marked(scene: InProcessStack) -> None:
    """Also where the record never had its id: until KMS forgets it, that one has ended and no other."""
    request_id = scene.active(duration="PT10S")
    grant_id = scene.request(request_id).grant_id
    item = scene.item(request_id)
    scene.put(scene.deployment.request_table, {name: item[name] for name in item if name != "grant_id"})
    scene.clock.sleep(10)
    scene.expire(1)
    found = _use(scene, request_id)
    assert found is not None
    assert found.grant_ids == (grant_id,)
