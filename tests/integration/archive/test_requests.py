"""A request that is in the archive, asked for, repeated, and alive after all."""

from datetime import timedelta

import pytest

from grant_broker.reconcile.run import reconcile
from tests.local_aws.s3 import Bucket
from tests.support.archive import LATER, broken, closed, items, run
from tests.support.scene import InProcessStack

GONE = (
    "the request was released and is in the archive by now: the security team finds it with "
    "grant-broker audit search"
)


@pytest.fixture
def archived_id(scene: InProcessStack, bucket: Bucket) -> str:
    """The id of a request that is in the archive."""
    request_id = closed(scene, once="k1")
    scene.clock.now += LATER
    run(scene)
    assert len(bucket.objects) == 1
    return request_id


def test_it_is_not_found_and_its_own_account_is_told_why(scene: InProcessStack, archived_id: str) -> None:
    """Whatever is wanted of it. Another account is told what it is told of a request that never was."""
    path = f"/requests/{archived_id}"
    calls = (
        ("partner", "GET", path),
        ("partner", "DELETE", path),
        ("partner", "POST", f"{path}/grant"),
        ("alice", "GET", f"/security{path}"),
    )
    for who, method, each in calls:
        answer = scene.call(who, method, each)
        assert (answer.status, answer.body["code"], answer.body["detail"]) == (404, "not_found", GONE)
    paths = (path, f"/requests/{'f' * 32}")
    asked, never = (scene.call("other_partner", "GET", each) for each in paths)
    assert asked.body == never.body
    assert scene.brokers.broker("approvals").store.find_requests([archived_id]) == []


def test_its_idempotency_key_makes_no_other(scene: InProcessStack, archived_id: str) -> None:
    """The request of that key is over; a second one under its id would be told for the first."""
    answer = scene.submit(once="k1")
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert "send another key" in answer.body["detail"]
    assert len(items(scene, archived_id)) == 1
    assert scene.submit(once="k2").status == 201


def test_no_list_shows_it(scene: InProcessStack, archived_id: str) -> None:
    """Neither the account's nor the security team's, by whatever they look for."""
    later = scene.pending()
    for who, path in (("partner", "/requests"), ("alice", "/security/requests")):
        for query in ({}, {"status": "released"}):
            found = [each["id"] for each in scene.call(who, "GET", path, query=query).body["items"]]
            assert found == ([] if query else [later])
    about = scene.call("alice", "GET", "/security/events", query={"request": archived_id})
    assert about.body["items"] == []


def test_a_grant_of_it_ends(scene: InProcessStack, archived_id: str) -> None:
    """One that lives after all has a record of its own, ends at once, and the archived trail stays whole."""
    name = f"grant-broker/{archived_id}/{int((scene.clock.now + timedelta(hours=1)).timestamp())}"
    scene.kms.create_grant(
        KeyId=scene.key_arn,
        GranteePrincipal=scene.grantee("partner"),
        RetiringPrincipal=scene.deployment.template.reference("ExpiryRole", "Arn"),
        Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": {"tenant": "a"}},
        Name=name,
    )
    scene.clock.now += timedelta(minutes=5)
    run_and_end(scene)
    assert scene.grants() == []
    assert len(items(scene, archived_id)) == 1
    apart = [item for item in scene.stored() if item.get("end_reason") and "kms_name" in item]
    assert "its request was used" in apart[0]["end_reason"]["S"]
    assert broken(scene) == {}


def run_and_end(scene: InProcessStack) -> None:
    """A run of reconcile, and one of expiry."""
    assert reconcile(scene.brokers.broker("reconcile"), lambda: 240.0).drift == 1
    scene.expire()
