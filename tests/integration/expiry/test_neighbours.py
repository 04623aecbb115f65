"""Grants that a taken-over `requests` makes inside its fence end, and those beside them live on."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.reconcile.run import Report, reconcile
from tests.support.faults import answered, refused
from tests.support.scene import InProcessStack


def _stray(scene: InProcessStack, **changes: Any) -> str:
    """A grant inside the fence, made with the role of `requests`; its id."""
    kms = scene.cloud.session(scene.deployment.credentials("requests")).client("kms")
    given = {
        "KeyId": scene.key_arn, "GranteePrincipal": scene.grantee("partner"), "Operations": ["Encrypt"],
        "RetiringPrincipal": scene.deployment.template.reference("ExpiryRole", "Arn"),
        "Constraints": {"EncryptionContextEquals": {"forged": "1"}}, **changes,
    }  # fmt: skip
    return str(kms.create_grant(**given)["GrantId"])


def _reconcile(scene: InProcessStack) -> Report:
    return reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)


def _live(scene: InProcessStack) -> set[str]:
    return {grant["GrantId"] for grant in scene.grants()}


@pytest.mark.parametrize("name", ["none", "backup", "as its neighbour"])
@pytest.mark.parametrize("retiring", ["works", "is refused"])
def test_only_the_stray_ends(scene: InProcessStack, name: str, retiring: str) -> None:
    """The stray ends within one run, by either way; its look-alikes live, also when it is looked for."""
    request_id = scene.active(duration="PT4H")
    [own] = scene.grants()
    namesake = _namesake(scene)
    named = {"none": {}, "backup": {"Name": "backup"}, "as its neighbour": {"Name": own["Name"]}}
    stray = _stray(scene, **named[name])
    assert _reconcile(scene).drift == 1
    with scene.faults({} if retiring == "works" else {"RetireGrant": refused("AccessDeniedException")}):
        scene.expire(1)
    assert _live(scene) == {own["GrantId"], namesake}
    for _ in range(3):
        scene.clock.now += timedelta(minutes=5)
        scene.expire(1)
        assert _reconcile(scene).drift == 0
    assert _live(scene) == {own["GrantId"], namesake}
    assert stray not in _live(scene)
    assert scene.status(request_id) == Status.ACTIVE
    assert scene.measured("LateDuplicates") == []


def _namesake(scene: InProcessStack) -> str:
    """Somebody's grant for the same grantee under the stray's name; its id."""
    other = scene.kms.create_grant(
        KeyId=scene.key_arn, GranteePrincipal=scene.grantee("partner"), Name="backup",
        Operations=["Encrypt"], RetiringPrincipal=scene.grantee("data_reader"),
    )  # fmt: skip
    return str(other["GrantId"])


def test_one_that_cannot_be_ended_stays_drift(scene: InProcessStack) -> None:
    """While KMS refuses, each run tells of the stray anew; once it ends, no run does."""
    stray = _stray(scene, Name="backup")
    with scene.faults({"RetireGrant": refused("KMSInternalException")}):
        for _ in range(3):
            assert _reconcile(scene).drift == 1
            scene.expire(1)
            scene.clock.now += timedelta(minutes=5)
    assert _live(scene) == {stray}
    scene.expire(1)
    assert (_live(scene), _reconcile(scene).drift) == (set(), 0)


def test_a_stray_that_lives_on_is_found_by_its_id(scene: InProcessStack) -> None:
    """Where RetireGrant was answered without effect, the last look finds the stray and ends it alone."""
    namesake = _namesake(scene)
    stray = _stray(scene, Name="backup")
    assert _reconcile(scene).drift == 1
    with scene.faults({"RetireGrant": answered(b"{}")}):
        scene.expire(1)
    assert _live(scene) == {stray, namesake}
    scene.clock.now += timedelta(minutes=5)
    scene.expire(1)
    assert (_live(scene), scene.measured("LateDuplicates")) == ({namesake}, [1])


def test_a_grant_to_a_role_of_this_minute(scene: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """While KMS shows a new role by its id, its grant is left alone; deleted, it ends after two looks."""
    monkeypatch.setattr(scene.cloud.kms.readings, "ids_shown_for", timedelta(minutes=1))
    role = scene.cloud.create_role("made-this-minute", [], account="444455556666")
    request_id = scene.active(grantee=role)
    assert scene.grants()[0]["GranteePrincipal"].startswith("AROA")
    assert _reconcile(scene).drift == 0
    scene.clock.now += timedelta(minutes=5)
    assert (scene.grants()[0]["GranteePrincipal"], _reconcile(scene).drift) == (role, 0)
    scene.cloud.delete_role(role)
    assert _reconcile(scene).drift == 0
    scene.clock.now += timedelta(minutes=5)
    assert (_reconcile(scene).drift, scene.status(request_id)) == (1, Status.ENDING)
