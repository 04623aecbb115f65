"""A key of another Region: all that is done with it is done there."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.domain.errors import KmsUncertain
from grant_broker.domain.lifecycle import Status
from grant_broker.reconcile.run import reconcile
from tests.local_aws.cloud import ELSEWHERE, AwsCall
from tests.support.crowd import crowd
from tests.support.faults import refused
from tests.support.scene import InProcessStack

CONTEXT = {"tenant": "a"}


@pytest.fixture
def there(scene: InProcessStack) -> InProcessStack:
    """A key of the other Region, with the founding key's policy and limits, that calls are about."""
    scene.key_arn = scene.cloud.create_key(scene.key_policy(), region=ELSEWHERE)
    assert scene.limit(key_arn=scene.key_arn, name="data_there").status == 201
    return scene


def use(scene: InProcessStack, operation: str = "Encrypt", who: str = "partner", **more: Any) -> Any:
    """Call KMS in the key's Region; its answer, or its error's code."""
    kms: Any = scene.cloud.session(scene.credentials(who)).client("kms", region_name=ELSEWHERE)
    given = {"KeyId": scene.key_arn, "EncryptionContext": CONTEXT, **more}
    given |= {"Plaintext": b"data"} if operation == "Encrypt" else {}
    try:
        return getattr(kms, operation.lower())(**given)
    except ClientError as error:
        return error.response["Error"]["Code"]


def test_a_grant_for_its_time(there: InProcessStack) -> None:
    """Refused before and after, allowed meanwhile with the agreed context and for Encrypt alone."""
    assert use(there) == "AccessDeniedException"
    request_id = there.active(key="data_there")
    made = use(there)
    assert use(there, EncryptionContext={"tenant": "b"}) == "AccessDeniedException"
    cipher = made["CiphertextBlob"]
    assert use(there, "Decrypt", CiphertextBlob=cipher) == "AccessDeniedException"
    read = there.kms_of(there.key_arn).decrypt(CiphertextBlob=cipher, EncryptionContext=CONTEXT)
    assert read["Plaintext"] == b"data"
    there.clock.sleep(7200)
    there.expire()
    assert (there.status(request_id), there.grants()) == (Status.EXPIRED, [])
    assert use(there) == "AccessDeniedException"


def test_released_revoked_and_killed(there: InProcessStack) -> None:
    """Each ends the grant there; the kill switch by the key's ARN as well."""
    ids = [there.active(key="data_there", encryption_context={"tenant": name}) for name in "abc"]
    assert there.release(ids[0]).status == there.revoke(ids[1]).status == 202
    killed = there.call("bob", "POST", "/security/revocations", {"key": there.key_arn, "reason": "leak"})
    assert (killed.status, killed.body["matched"]) == (202, 1)
    there.expire()
    assert [there.status(request_id) for request_id in ids] == ["released", "revoked", "revoked"]
    assert there.grants() == []


def test_extended(there: InProcessStack) -> None:
    """The new grant is on the same key, and each ends for itself."""
    old = there.active(key="data_there")
    there.approve_ahead(key="data_there")
    new = there.extend(old, duration="PT3H").body
    assert (new["key"], new["status"], len(there.grants())) == (there.key_arn, "active", 2)
    there.later(7200)
    assert (there.status(old), len(there.grants())) == (Status.EXPIRED, 1)


def test_what_it_says_of_the_key(there: InProcessStack) -> None:
    """Checks, access report, key policy and the explanation of a call look where the key is."""
    request_id = there.active(key="data_there")
    assert there.check()["grantable"] is True
    report = there.security("GET", "/access").body
    assert there.grantee("partner") in json.dumps(report["items"])
    assert there.security("GET", "/policy").body["diff"] == ""
    asked = {"action": "Encrypt", "context": CONTEXT}
    told = there.call("partner", "POST", f"/requests/{request_id}/why", asked)
    assert (told.status, told.body["verdict"]) == (200, "allowed")


def test_preflight_looks_there(there: InProcessStack) -> None:
    """A disabled key of another Region is told before anybody votes."""
    there.kms_of(there.key_arn).disable_key(KeyId=there.key_arn)
    assert there.check()["grantable"] is False
    assert there.submit(key="data_there").status == 409


@pytest.mark.parametrize("path", ["us-east-1:{}", "{}"])
def test_a_region_that_is_not_the_stacks(scene: InProcessStack, path: str) -> None:
    """400 naming key_arn and KeyRegions, and KMS is not asked there."""
    arn = scene.key_arn.replace(scene.cloud.region, "us-east-1")
    body = {"key_arn": arn} | ({"name": "other"} if ":" in path else {})
    with scene.faults({}) as calls:
        answer = scene.limit(key_id=path.format(scene.key_id), **body)
    [fault] = answer.body["errors"]
    assert (answer.status, fault["field"]) == (400, "key_arn")
    assert "KeyRegions" in fault["message"]
    advice = scene.security("GET", "/policy", key_arn=arn)
    assert (advice.status, advice.body["errors"][0]["field"]) == (400, "key_arn")
    assert not [call for call in calls if call.service == "kms"]


def test_the_path_names_the_region(there: InProcessStack) -> None:
    """400 where path and ARN name two Regions; by PATCH a key does not become another."""
    elsewhere = there.key_arn.replace(ELSEWHERE, "eu-central-1")
    answer = there.limit(key_id=f"{ELSEWHERE}:{there.key_id}", key_arn=elsewhere, name="other")
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "key_arn")
    path = f"/security/keys/{there.key_id}"
    patched = there.call("alice", "PATCH", path, {"key_arn": elsewhere})
    assert (patched.status, patched.body["errors"][0]["field"]) == (400, "key_arn")
    assert there.call("alice", "GET", path).body["key_arn"] == there.key_arn


def test_a_region_that_was_taken_off_the_list(there: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is open stays so, can be changed and ends on time; closed, it cannot be opened again."""
    request_id = there.active(key="data_there")
    for function in ("approvals", "expiry", "reconcile"):
        broker: Any = there.brokers.broker(function)
        told = broker.settings.model_copy(update={"key_regions": ()})
        monkeypatch.setattr(there.brokers, "broker", _given(there, function, replace(broker, settings=told)))
    given = {"key_arn": there.key_arn, "name": "data_there"}
    assert there.limit(**given, max_duration="PT1H").status == 200
    assert reconcile(there.brokers.broker("reconcile"), lambda: 240.0).complete
    there.later(7200)
    assert (there.status(request_id), there.grants()) == (Status.EXPIRED, [])
    assert there.security("DELETE", "").status == 204
    assert there.limit(**given).status == 400


def _given(scene: InProcessStack, function: str, broker: Any) -> Any:
    others = scene.brokers.broker
    return lambda name: broker if name == function else others(name)


def forge(scene: InProcessStack) -> str:
    """Whoever took `requests` over makes a grant there; its id."""
    kms: Any = scene.cloud.session(scene.deployment.credentials("requests")).client(
        "kms", region_name=ELSEWHERE
    )
    made = kms.create_grant(
        KeyId=scene.key_arn,
        GranteePrincipal=scene.grantee("partner"),
        RetiringPrincipal=scene.brokers.broker("expiry").settings.retiring_principal,
        Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": CONTEXT},
    )
    return str(made["GrantId"])


def test_a_forged_grant_is_found(there: InProcessStack) -> None:
    """Reconcile lists each Region's grants, and what no approval covers is ended there."""
    forge(there)
    report = reconcile(there.brokers.broker("reconcile"), lambda: 240.0)
    assert (report.drift, report.live, report.complete) == (1, 1, True)
    there.expire()
    assert there.grants() == []


def in_region(region: str) -> Any:
    """Whether a call is one to KMS in this Region."""

    def is_there(call: AwsCall) -> bool:
        return call.service == "kms" and call.region == region

    return is_there


def test_one_region_is_compared_while_another_is_down(there: InProcessStack) -> None:
    """The run fails aloud, and what it could see it has judged: no grant of the silent Region is missed."""
    unseen = there.active(key="partner_data")
    forge(there)
    down = refused("DependencyTimeoutException", 500)
    plan = {"ListRetirableGrants": down, "ListGrants": down}
    silent = there.faults(plan, when=in_region(there.cloud.region))
    with silent as calls, pytest.raises(KmsUncertain):
        reconcile(there.brokers.broker("reconcile"), lambda: 240.0)
    assert there.measured("DriftFound")[-1] == 1
    assert not there.request(unseen).missing_since
    # Its keys are not tried one by one after that.
    assert not [call for call in calls if call.operation == "ListGrants" and call.region != ELSEWHERE]
    there.expire()
    assert there.grants() == []


def test_grants_that_are_not_the_brokers_are_told_by_region(there: InProcessStack) -> None:
    """Each Region's listing tells of what it counts elsewhere, and names the Region."""
    key = there.cloud.create_key(there.key_policy(), region=ELSEWHERE)
    there.kms_of(key).create_grant(
        KeyId=key,
        GranteePrincipal=there.grantee("partner"),
        RetiringPrincipal=there.brokers.broker("expiry").settings.retiring_principal,
        Operations=["Encrypt"],
    )
    broker = there.brokers.broker("reconcile")
    reconcile(broker, lambda: 240.0)
    [event] = broker.store.get_trail(f"reconcile#grants#{ELSEWHERE}")
    assert (event.type, event.detail["region"], event.detail["grants"]) == ("grants_elsewhere", ELSEWHERE, 1)


def test_what_falls_due_is_counted_by_region(there: InProcessStack) -> None:
    """A crowd of ends in one Region refuses nobody in another, and the debt is the longest of any."""
    there.approve_ahead(key="data_there")
    there.approve_ahead()
    full = 40 * 6  # as many as the rate takes within the 5 s for which an end may wait
    crowd(there, there.clock.now + timedelta(hours=2), full)
    assert there.submit(key="data_there").status == 409
    assert there.submit(key="partner_data").body["status"] == "active"
    assert there.call("alice", "GET", "/security/debt").body["debt_seconds"] == 5
