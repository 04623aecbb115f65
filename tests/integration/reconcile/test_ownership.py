"""Whose grant it is: judged whatever its name where it is the broker's, else counted and left alone."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.ownership import AllowedGrant
from grant_broker.domain.passes import GrantsPlace
from grant_broker.domain.trail import Head, verify
from tests.support.records import (
    ACCOUNT,
    CREATED,
    EXPIRES,
    EXPIRY_ROLE,
    GRANTEE,
    KEY,
    NOW,
    Scene,
    grant,
    key,
    request,
    votes,
)

OUTSIDER = "arn:aws:iam::777788889999:root"
UNREGISTERED = f"{KEY}0"
DELETED = "AROADELETEDEXPIRYROLE"
ALLOWED = AllowedGrant.model_validate({"key": KEY, "grantee": GRANTEE, "operations": ["Encrypt", "Decrypt"]})
_TOLD = "reconcile#grants"


def _stored(scene: Scene) -> set[str]:
    """The partitions of the request table."""
    return {item["pk"]["S"] for item in scene.client.scan(TableName="requests")["Items"]}


def _ends(scene: Scene, found: Any) -> bool:
    """Whether a run ends the grant, with drift."""
    report = scene.run(found)
    record = scene.store.find_request(found.derived_id)
    assert report.drift == (record is not None)
    return record is not None and record.status == Status.ENDING


@pytest.mark.parametrize("name", [grant().name, "grant-broker/x", "backup", ""])
@pytest.mark.parametrize(
    "changes",
    [
        {"issuing_account": OUTSIDER, "key_arn": UNREGISTERED.replace("111122223333", "777788889999")},
        {"issuing_account": OUTSIDER},
        {"issuing_account": None},
        {"key_arn": UNREGISTERED},
    ],
)
def test_not_ours(scene: Scene, name: str, changes: dict[str, Any]) -> None:
    """What others made, or nobody registered a key for, is counted: no record, no drift, nothing overdue."""
    others = [grant(**{"grant_id": f"g{number}", "name": name, **changes}) for number in range(120)]
    scene.now = EXPIRES + timedelta(hours=1)
    report = scene.run(*others)
    assert (report.complete, report.drift, report.live, report.overdue) == (True, 0, 0, 0)
    assert _stored(scene) <= {_TOLD, "reconcile#records", "reconcile#reviews", f"reconcile#{KEY}"}
    [event] = scene.events(_TOLD)
    assert (event.type, event.detail["grants"]) == ("grants_elsewhere", 120)
    assert scene.metrics["DriftFound"] == 0


def test_told_when_it_changes(scene: Scene) -> None:
    """What others made is told once, and again when there is more or less of it, with who made most."""
    theirs = [
        grant(grant_id=f"g{number}", issuing_account=f"arn:aws:iam::{700000000000 + number % 12}:root")
        for number in range(40)
    ]
    for found in (theirs, theirs, theirs[:20], [], []):
        scene.run(*found)
    events = scene.events(_TOLD)
    assert [event.detail["grants"] for event in events] == [40, 20, 0]
    assert len(events[0].detail["accounts"]) == 10
    assert events[0].detail["accounts"]["700000000000"] == 4
    place = scene.store.places.get(GrantsPlace())
    assert verify(_TOLD, events, Head(place.events, place.last_hash)) is None


@pytest.mark.parametrize("name", ["", "backup", "grant-broker/for-ever"])
def test_ours_by_whatever_name(scene: Scene, name: str) -> None:
    """A grant that the home account made on a registered key ends, and is drift for as long as it lives."""
    scene.put(request(), votes(request()))
    stray = grant(grant_id="g2", name=name)
    assert scene.run(grant(), stray).drift == 1
    ending = scene.request(stray.derived_id)
    assert (ending.status, ending.grant_id, ending.grant_name) == (Status.ENDING, "g2", name)
    for _ in range(3):
        scene.now += timedelta(minutes=5)
        assert scene.run(grant(), stray).drift == 1
        assert scene.metrics["DriftFound"] == 1
    assert scene.run(grant()).drift == 0
    assert scene.request().status == Status.ACTIVE
    assert [event.type for event in scene.events(f"request#{stray.derived_id}")] == ["adopted"]


def test_on_a_closed_key(scene: Scene) -> None:
    """A key that was closed is in the register still."""
    scene.put(key(), key().model_copy(update={"withdrawn_at": NOW}))
    assert _ends(scene, grant(name="backup"))


@pytest.mark.parametrize(("seconds", "ends"), [(-86_401, False), (-86_400, True), (0, True)])
def test_made_before_the_key_was_registered(scene: Scene, seconds: int, ends: bool) -> None:  # noqa: FBT001
    """What was there before the key is left alone, as KMS tells its creation: in whole seconds."""
    registered = key().model_copy(update={"created_at": key().created_at + timedelta(milliseconds=700)})
    scene.put(registered)
    assert _ends(scene, grant(name="backup", created_at=CREATED + timedelta(seconds=seconds))) is ends


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({}, False),
        ({"name": ""}, False),
        ({"operations": ("Decrypt",)}, False),
        ({"operations": ("Encrypt", "ReEncryptTo")}, True),
        ({"grantee": f"{GRANTEE}-other"}, True),
        ({"key_arn": UNREGISTERED}, True),
    ],
)
def test_allowed_by_the_operator(scene: Scene, changes: dict[str, Any], ends: bool) -> None:  # noqa: FBT001
    """The operator's list spares exactly what it names: this grantee on this key, and no more operations."""
    scene.put(key(key_arn=UNREGISTERED))
    scene.allowed = (ALLOWED,)
    assert _ends(scene, grant(**{"name": "backup", **changes})) is ends


def test_an_end_in_the_name_is_kept(scene: Scene) -> None:
    """A grant of the broker's own form ends by its name, whatever the operator's list says."""
    scene.allowed = (ALLOWED,)
    scene.put(votes(request()))
    scene.run(grant())
    assert (scene.request().status, scene.request().expires_at) == (Status.ACTIVE, EXPIRES)


def test_retired_by_a_deleted_role(scene: Scene) -> None:
    """Beside a name of the broker's the id of a deleted role is taken for `expiry`'s own, once."""
    scene.put(request(), votes(request()))
    assert scene.run(grant(retiring_principal=DELETED)).drift == 0
    assert scene.request().status == Status.ACTIVE
    assert scene.run(grant(retiring_principal=DELETED, name=grant_name("f" * 32, EXPIRES))).drift == 1
    assert scene.run(grant(retiring_principal=f"{EXPIRY_ROLE}-other")).live == 0
    assert scene.request("f" * 32).account == ACCOUNT
