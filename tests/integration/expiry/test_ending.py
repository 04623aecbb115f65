"""How a grant ends: on time, the first way or the second, and only when it is known to be gone."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Action, Status
from tests.support.faults import Plan, before, lost, refused
from tests.support.scene import START, InProcessStack


def _due(scene: InProcessStack, request_id: str) -> float:
    due = scene.request(request_id).due
    assert due is not None
    return due - scene.clock.now.timestamp()


def test_in_its_own_second(scene: InProcessStack) -> None:
    """Live until its last second, retired in the next; lateness is measured from expires_at."""
    request_id = scene.active(duration="PT10S")
    scene.expire(9.9)
    assert (scene.status(request_id), len(scene.grants())) == (Status.ACTIVE, 1)
    with scene.faults({"RetireGrant": [None]}) as retired:
        scene.expire(0.2)
    assert [call.parameters["KeyId"] for call in retired] == [scene.key_arn]
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])
    ended = scene.request(request_id)
    assert ended.ended_at == START + timedelta(seconds=10)
    assert ended.end_reason == "expired"
    assert scene.measured("EndLatenessSeconds") == [0.0]
    assert scene.measured("GrantsEnded") == [1]
    assert scene.trail(request_id)[-1] == "expired"


def test_lateness(scene: InProcessStack) -> None:
    """What was due while nobody ran ends first thing, and its lateness is told."""
    request_id = scene.active(duration="PT10S")
    scene.clock.now = START + timedelta(seconds=25)
    scene.expire(1)
    assert scene.status(request_id) == Status.EXPIRED
    assert scene.measured("EndLatenessSeconds") == [15.0]


def test_lateness_of_a_release(scene: InProcessStack) -> None:
    """A grant that ends before its time is not late."""
    request_id = scene.active()
    scene.release(request_id)
    scene.clock.sleep(30)
    scene.expire(1)
    assert scene.status(request_id) == Status.RELEASED
    assert scene.measured("EndLatenessSeconds") == [0.0]


def test_retiring_needs_no_policy(scene: InProcessStack) -> None:
    """A broken key policy keeps no grant alive: its retiring principal retires it all the same."""
    request_id = scene.active(duration="PT10S")
    cloud, before = scene.deployment.cloud, scene.kms.get_key_policy(KeyId=scene.key_arn)["Policy"]
    root = {
        "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.home}:root"},
        "Condition": {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{cloud.home}:root"}},
    }  # fmt: skip
    cloud.put_key_policy(scene.key_arn, {"Version": "2012-10-17", "Statement": [root]})
    scene.clock.sleep(10)
    scene.expire(1)
    scene.kms.put_key_policy(KeyId=scene.key_arn, Policy=before)
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])


def test_revoked_where_retiring_is_refused(scene: InProcessStack) -> None:
    """The second way, after ListGrants showed that the grant is the broker's own."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with scene.faults({"RetireGrant": refused("AccessDeniedException")}):
        scene.expire(1)
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])


@pytest.mark.parametrize("what", ["name", "retiring principal"])
def test_somebody_else_s_grant_is_never_revoked(scene: InProcessStack, what: str) -> None:
    """A record that names another grant, forged or not, revokes nothing: it fails, loudly, for ever."""
    request_id = scene.active(duration="PT10S")
    [own] = scene.grants()
    retiring = own["RetiringPrincipal"] if what == "name" else scene.grantee("data_reader")
    parameters = {
        "KeyId": scene.key_arn, "GranteePrincipal": own["GranteePrincipal"], "Operations": ["Encrypt"],
        "RetiringPrincipal": retiring, "Name": "their-own" if what == "name" else own["Name"],
    }  # fmt: skip
    theirs = scene.kms.create_grant(**parameters)["GrantId"]
    scene.alter(request_id, grant_id={"S": theirs})
    scene.clock.sleep(10)
    with scene.faults({"RetireGrant": refused("AccessDeniedException")}):
        scene.expire(1)
    assert theirs in {grant["GrantId"] for grant in scene.grants()}
    assert (scene.status(request_id), scene.request(request_id).attempts) == (Status.ACTIVE, 1)
    assert scene.measured("EndFailures") == scene.measured("EndFailuresNotOurs") == [1]


def test_gone_already(scene: InProcessStack) -> None:
    """NotFound is success only once ListGrants shows it gone: ended by hand, the request is closed."""
    request_id = scene.active(duration="PT10S")
    scene.kms.revoke_grant(KeyId=scene.key_arn, GrantId=scene.grants()[0]["GrantId"])
    scene.clock.sleep(10)
    scene.expire(1)
    assert scene.status(request_id) == Status.EXPIRED


@pytest.mark.parametrize("operation", ["RetireGrant", "RevokeGrant"])
def test_not_found_but_listed(scene: InProcessStack, operation: str) -> None:
    """NotFound for a grant that ListGrants shows is no success: it is tried again until it is gone."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with scene.faults(
        {"RetireGrant": refused("AccessDeniedException"), operation: refused("NotFoundException")}
    ):
        scene.expire(1)
    assert (scene.status(request_id), len(scene.grants())) == (Status.ACTIVE, 1)
    scene.expire(5)
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])


@pytest.mark.parametrize("operation", ["RetireGrant", "RevokeGrant"])
def test_gone_between_look_and_call(scene: InProcessStack, operation: str) -> None:
    """A lost answer: the repeat finds the grant gone, has ListGrants confirm it, and closes the request."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with scene.faults({"RetireGrant": refused("AccessDeniedException"), operation: [lost, None]}):
        scene.expire(1)
        assert (scene.status(request_id), scene.grants()) == (Status.ACTIVE, [])
        scene.expire(5)
    assert scene.status(request_id) == Status.EXPIRED


def test_revoke_finds_it_gone(scene: InProcessStack) -> None:
    """Ended by somebody else between ListGrants and RevokeGrant: NotFound, confirmed, closed."""
    request_id = scene.active(duration="PT10S")
    grant_id = scene.grants()[0]["GrantId"]
    scene.clock.sleep(10)

    def revoke() -> None:
        scene.kms.revoke_grant(KeyId=scene.key_arn, GrantId=grant_id)

    with scene.faults({"RetireGrant": refused("AccessDeniedException"), "RevokeGrant": before(revoke)}):
        scene.expire(1)
    assert scene.status(request_id) == Status.EXPIRED


def test_refused_both_ways_for_a_day(scene: InProcessStack) -> None:
    """Retried for ever, each pause up to twice as long, to 5 minutes, told once a doubling; then it ends."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    pauses = []
    with scene.faults(dict.fromkeys(("RetireGrant", "RevokeGrant"), refused("AccessDeniedException"))):
        for _ in range(12):
            scene.expire(0.5)
            pauses.append(_due(scene, request_id))
            scene.clock.sleep(pauses[-1])
    wholes = [2, 4, 8, 16, 32, 64, 128, 256, *4 * [300]]
    # The agenda is in whole seconds.
    assert all(whole / 2 - 1 <= pause <= whole for pause, whole in zip(pauses, wholes, strict=True)), pauses
    stored = scene.request(request_id)
    assert (stored.status, stored.attempts) == (Status.ACTIVE, 12)
    assert scene.trail(request_id).count("end_failed") == 4
    assert len(scene.measured("EndFailures")) == 12
    scene.expire(1)
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])
    assert scene.request(request_id).attempts == 0


@pytest.mark.parametrize(
    "fault", [refused("ThrottlingException"), refused("KMSInternalException", 500), lost]
)
def test_kms_does_not_answer(scene: InProcessStack, fault: Any) -> None:
    """Throttled, failing or silent: back on the agenda, and ended by the next attempt."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with scene.faults({"RetireGrant": [fault, None]}):
        scene.expire(0.5)
        assert scene.status(request_id) == Status.ACTIVE
        scene.expire(5)
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])


def test_a_key_that_was_deleted(scene: InProcessStack) -> None:
    """Its grants went with it: KMS finds neither, and the request is closed."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    gone = ("RetireGrant", "RevokeGrant", "ListGrants")
    with scene.faults(dict.fromkeys(gone, refused("NotFoundException"))):
        scene.expire(1)
    assert scene.status(request_id) == Status.EXPIRED


@pytest.mark.parametrize(
    ("code", "status"), [("InvalidArnException", Status.EXPIRED), ("AccessDeniedException", Status.ACTIVE)]
)
def test_a_grantee_that_was_deleted(scene: InProcessStack, code: str, status: Status) -> None:
    """KMS does not know the grantee any more: gone is what ListGrants says by the grant's id. A refusal
    for any other reason proves nothing."""
    request_id = scene.active(duration="PT10S")
    scene.kms.revoke_grant(KeyId=scene.key_arn, GrantId=scene.grants()[0]["GrantId"])
    scene.clock.sleep(10)
    with scene.faults({"ListGrants": refused(code)}, when=lambda call: "GranteePrincipal" in call.parameters):
        scene.expire(1)
    assert scene.status(request_id) == status


def test_released_while_it_expires(scene: InProcessStack) -> None:
    """Another writer between KMS and the record: what it left on the agenda is done next."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with scene.meanwhile("RetireGrant", lambda: scene.release(request_id)) as others:
        scene.expire(0.5)
    assert others[0].status == 202
    assert (scene.status(request_id), scene.grants()) == (Status.ENDING, [])
    scene.expire(2)
    assert scene.status(request_id) == Status.RELEASED


def test_two_runs_at_the_same_time(scene: InProcessStack) -> None:
    """Whoever claims an entry first acts on it; the other leaves it alone."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with (
        scene.faults({"RetireGrant": [None]}) as retired,
        scene.meanwhile("RetireGrant", lambda: scene.expire(0.5)),
    ):
        scene.expire(0.5)
    assert scene.status(request_id) == Status.EXPIRED
    assert len(retired) == 1
    assert scene.trail(request_id).count("expired") == 1


def test_another_run_claims_it_first(scene: InProcessStack) -> None:
    """A lost claim is no failure."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)
    with scene.meanwhile("TransactWriteItems", lambda: scene.expire(0.5)):
        report = scene.expire(0.5)
    assert (report.failed, scene.status(request_id)) == (0, Status.EXPIRED)
    assert scene.measured("GrantsEnded") == [1]


@pytest.mark.parametrize("action", [Action.LAPSE, Action.SETTLE, Action.END])
def test_an_action_that_no_longer_fits(scene: InProcessStack, action: Action) -> None:
    """An entry that does not fit its request's status gives way to the one that does; no more changes."""
    request_id = scene.active() if action == Action.LAPSE else scene.approved()
    scene.alter(request_id, action={"S": str(action)}, due={"N": str(int(START.timestamp()))})
    before = scene.status(request_id)
    scene.expire(1)
    stored = scene.request(request_id)
    assert (stored.status, stored.action) == (before, stored.next_action)
    assert stored.due == int(stored.next_due(START).timestamp())


def test_moved_on_before_it_is_put_off(scene: InProcessStack) -> None:
    """KMS fails, and somebody else writes the record meanwhile: what they left on the agenda holds."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)

    def release() -> None:
        scene.release(request_id)

    plan: Plan = {
        "RetireGrant": refused("ThrottlingException"),
        "TransactWriteItems": [None, before(release), None],
    }
    with scene.faults(plan):
        scene.expire(0.5)
    stored = scene.request(request_id)
    assert (stored.status, stored.attempts) == (Status.ENDING, 0)
