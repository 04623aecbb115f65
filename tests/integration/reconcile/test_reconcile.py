"""Reconcile against strict KMS: what ListRetirableGrants truly shows, page after page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.aws.kms import KmsReader
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.reconcile.run import Report, reconcile
from tests.local_aws.cloud import Cloud
from tests.support.one_kms import one_kms
from tests.support.records import (
    ACCOUNT,
    CREATED,
    EXPIRES,
    EXPIRY_ROLE,
    GRANTEE,
    ID,
    NOW,
    SCOPE,
    Scene,
    request,
    votes,
)  # fmt: skip
from tests.support.records import key as register


@dataclass
class TablesAndKms:
    """A cloud with the broker's tables, one key, and a clock."""

    cloud: Cloud
    scene: Scene
    key: str
    issuer: Any
    moment: list[datetime]

    def grant(self, **changes: Any) -> str:
        """Create a grant as the broker does, half an hour ago; its id."""
        self.moment[0] = CREATED
        base = {
            "KeyId": self.key, "GranteePrincipal": GRANTEE, "RetiringPrincipal": EXPIRY_ROLE,
            "Operations": list(SCOPE.operations), "Constraints": SCOPE.constraints,
            "Name": grant_name(ID, EXPIRES),
        }  # fmt: skip
        given = {name: value for name, value in (base | changes).items() if value is not None}
        grant_id: str = self.issuer.create_grant(**given)["GrantId"]
        self.moment[0] = NOW
        return grant_id

    def run(self) -> Report:
        """One run, as the function's role."""
        return reconcile(self.scene.broker, lambda: 240.0)


@pytest.fixture
def world() -> Iterator[TablesAndKms]:
    """Empty tables, and roles for the broker and its partner."""
    moment = [NOW]
    cloud = Cloud(lambda: moment[0])
    cloud.create_role("broker-expiry", [])
    cloud.create_role("partner", [], account=ACCOUNT)
    reader = cloud.create_role("broker-reconcile", [_allow("kms:ListRetirableGrants")])
    root = cloud.session(cloud.root())
    key = cloud.create_key({"Version": "2012-10-17", "Statement": [_root(cloud.home)]})
    kms = cloud.session(cloud.session_for(reader, "run")).client("kms")
    scene = Scene(root.client("dynamodb"), KmsReader(one_kms(kms)))
    scene.put(register(key_arn=key))
    yield TablesAndKms(cloud, scene, key, root.client("kms"), moment)
    moto_api_backend.reset()


def _allow(action: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
    }


def _root(account: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }


def test_lost_table(world: TablesAndKms) -> None:
    """With the request table empty an approved grant gets its record back, with its end on the agenda."""
    grant_id = world.grant()
    world.scene.put(votes(request(key_arn=world.key), key_arn=world.key))
    assert world.run().complete
    stored = world.scene.request()
    assert (stored.status, stored.grant_id, stored.grantee) == (Status.ACTIVE, grant_id, GRANTEE)
    assert (stored.action, stored.due) == (Action.END, int(EXPIRES.timestamp()))
    assert world.run().drift == 0


def test_taken_over(world: TablesAndKms) -> None:
    """Whatever a taken-over `requests` could create under the broker's names ends within one run."""
    made = {
        world.grant(Name=grant_name("a" * 32, EXPIRES)),
        world.grant(Name=grant_name("b" * 32, EXPIRES), Operations=["Decrypt"]),
        world.grant(Name="grant-broker/for-ever"),
        world.grant(Name="by-hand"),
        world.grant(Name=None),
    }
    others = world.grant(RetiringPrincipal=GRANTEE)
    assert world.run().drift == 5
    due = [str(entry.id) for entry in world.scene.ends_due(NOW)]
    ending = {(record := world.scene.request(found)).grant_id: record.status for found in due}
    assert ending == dict.fromkeys(made, Status.ENDING)
    assert {grant["GrantId"] for grant in world.cloud.grants(world.key)} == {*made, others}


def test_deleted_principal(world: TablesAndKms) -> None:
    """A grant whose grantee was deleted, which KMS shows by id alone, ends."""
    world.scene.put(
        request(key_arn=world.key, grant_id=world.grant()),
        votes(request(key_arn=world.key), key_arn=world.key),
    )
    assert world.run().drift == 0
    world.cloud.delete_role(GRANTEE)
    world.run()
    assert world.scene.request().status == Status.ENDING


def test_pages(world: TablesAndKms) -> None:
    """Every page of the listing is judged."""
    for number in range(130):
        world.grant(Name=grant_name(f"{number:032x}", EXPIRES))
    assert world.run().live == 130
    assert len(world.scene.ends_due(NOW)) == 130
    assert world.scene.metrics["DriftFound"] == 130
