"""From KMS to the records: what reconcile does about each live grant."""

from datetime import timedelta

import pytest

from grant_broker.aws.items import item_of
from grant_broker.domain.approvals import Approval
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.records import Stamp
from grant_broker.domain.trail import GENESIS, Head, verify
from grant_broker.domain.uses import Use
from grant_broker.domain.versions import record_event
from tests.support.records import (
    CREATED,
    EXPIRES,
    GRANTEE,
    ID,
    KEY,
    NOW,
    Scene,
    agenda,
    before_intent,
    grant,
    key,
    request,
    standing,
    vote,
    votes,
)  # fmt: skip

NOON = int(NOW.timestamp())
OTHER = f"{GRANTEE}-other"
OTHER_KEY = f"{KEY}0"


def derived(**changes: object) -> str:
    """The id of the record by which a grant ends apart from its name."""
    return grant(**changes).derived_id


def test_order(scene: Scene) -> None:
    """A grant with record and approval is left alone, and the run says that it is alive."""
    scene.put(key(), request(), votes(request()))
    report = scene.run(grant())
    assert scene.request() == request()
    assert (report.complete, report.drift) == (True, 0)
    assert scene.metrics == {
        "LiveGrants": 1, "OverdueGrants": 0, "OldestOverdueSeconds": 0, "DriftFound": 0, "Heartbeat": 1,
        "GrantsOutOfSight": 0, "KeysNotListed": 0, "DebtSeconds": 0, "GrantsOnFullestKey": 1,
        "BreakGlassUnreviewed": 0,
        "ReviewsDue": 0,
    }  # fmt: skip


def test_standing_order(scene: Scene) -> None:
    """A standing approval that the record names covers as votes do what was made in its window, and on."""
    scene.put(key(), request(approval="standing-1"), standing(valid_until=CREATED + timedelta(minutes=5)))
    assert scene.run(grant()).drift == 0


def test_overdue(scene: Scene) -> None:
    """What KMS shows past the expiry in its name is overdue, whatever the tables say."""
    scene.now = EXPIRES + timedelta(seconds=90)
    scene.run(grant(), grant(grant_id="g2", name="by hand"), grant(grant_id="g3", key_arn=OTHER_KEY))
    assert scene.metrics["LiveGrants"] == 2
    assert scene.metrics["OverdueGrants"] == 1
    assert scene.metrics["OldestOverdueSeconds"] == 90


@pytest.mark.parametrize(
    "changes",
    [
        {"operations": ("Encrypt", "Decrypt")},
        {"operations": ("CreateGrant",)},
        {"constraints": {}},
        {"constraints": {"EncryptionContextSubset": {"tenant": "a"}}},
        {"constraints": {"EncryptionContextEquals": {"tenant": "b"}}},
        {"constraints": {"SourceArn": "arn:aws:s3:::x"}},
        {"grantee": "AROADELETED"},
        {"created_at": CREATED - timedelta(hours=7)},
    ],
)
def test_not_as_approved(scene: Scene, changes: dict[str, object]) -> None:
    """A grant that allows, lasts or names more than was approved ends now, by its own request."""
    scene.put(key(), request(), votes(request()))
    assert scene.run(grant(**changes)).drift == 1
    stored = scene.request()
    assert (stored.status, stored.end_as, stored.due) == (Status.ENDING, Status.REVOKED, NOON)
    [event] = scene.events()
    assert (event.type, event.by, event.detail["drift"]) == ("ending", "reconcile", True)


def test_over_long(scene: Scene) -> None:
    """A grant ends now when it would outlast its key's max_duration, however long was approved."""
    scene.put(key(max_duration="PT1H"), request(), votes(request()))
    scene.run(grant())
    assert "max_duration" in str(scene.request().end_reason)


@pytest.mark.parametrize(
    "approval",
    [
        None,
        votes(request(), withdrawn_at=CREATED - timedelta(minutes=5)),
        votes(request(reason="another reason")),
        votes(request(), max_duration=3600),
        votes(request(), votes=(vote(request().digest, "444455556666:AROAPARTNER"),)),
    ],
)
def test_uncovered(scene: Scene, approval: Approval | None) -> None:
    """A record without an approval that covered its grant keeps nothing alive."""
    scene.put(key(), request(), *([approval] if approval else []))
    scene.run(grant())
    assert scene.request().status == Status.ENDING


def test_withdrawn_later(scene: Scene) -> None:
    """A live grant runs on when its standing approval is withdrawn after it."""
    scene.put(key(), request(approval="standing-1"), standing(withdrawn_at=NOW))
    scene.run(grant())
    assert scene.request().status == Status.ACTIVE


def test_withdrawn_to_end(scene: Scene) -> None:
    """A standing approval withdrawn to end its grants ends those that the call did not reach: no drift."""
    scene.put(key(), request(approval="standing-1"), standing(withdrawn_at=NOW, revoke_active=True))
    assert scene.run(grant()).drift == 0
    assert scene.request().status == Status.ENDING


def test_adopted(scene: Scene) -> None:
    """An approved grant without a record gets one, active to the end that its name says, and an alarm."""
    scene.put(key(), votes(request()))
    assert scene.run(grant()).drift == 1
    stored = scene.request()
    assert (stored.status, stored.expires_at, stored.grant_id) == (Status.ACTIVE, EXPIRES, "g1")
    assert (stored.action, stored.due) == (Action.END, int(EXPIRES.timestamp()))
    assert stored.grant_name == grant().name
    [event] = scene.events()
    assert (event.type, event.previous, event.detail["operations"]) == ("adopted", GENESIS, ["Encrypt"])
    assert scene.metrics["DriftFound"] == 1


def test_adopted_after_its_trail(scene: Scene) -> None:
    """A record that was lost alone gets a new one too, whose trail goes on where the old one ended."""
    scene.put(key(), votes(request()))
    change = record_event(request(), "active", Stamp(CREATED, "somebody", "e1"), {}, {})
    assert change.event
    scene.put(change.event)
    assert scene.run(grant()).drift == 1
    assert scene.request().status == Status.ACTIVE
    before, event = scene.events()
    assert (event.type, event.sequence, event.previous) == ("adopted", 2, before.hash)
    assert verify(f"request#{ID}", scene.events(), Head(2, scene.request().last_hash)) is None


def test_adopted_beside_a_forged_event(scene: Scene) -> None:
    """What is no event does not keep a grant without a record from getting one."""
    scene.put(key(), votes(request()))
    forged = {"pk": {"S": f"request#{ID}"}, "sk": {"S": "event#x"}, "hash": {"N": "1"}}
    scene.client.put_item(TableName=scene.store.tables.request_table, Item=forged)
    assert scene.run(grant()).drift == 1
    assert scene.request().status == Status.ACTIVE


def test_adopted_by_standing(scene: Scene) -> None:
    """A standing approval covers a grant whose record was lost."""
    scene.put(key(), standing())
    scene.run(grant(), grant(grant_id="g2", name=grant_name("f" * 32, EXPIRES)))
    assert scene.request().status == scene.request("f" * 32).status == Status.ACTIVE


def test_adopted_once(scene: Scene) -> None:
    """An adopted grant is found in order by the next run, as its approval's digest cannot be rebuilt."""
    scene.put(key(), votes(request()))
    scene.run(grant())
    assert scene.run(grant()).drift == 0
    assert scene.request().status == Status.ACTIVE


def test_adopted_too_late(scene: Scene) -> None:
    """A grant without a record whose time is over ends now, as expired."""
    scene.put(key(), votes(request()))
    scene.now = EXPIRES + timedelta(minutes=1)
    scene.run(grant())
    assert (scene.request().status, scene.request().end_as) == (Status.ENDING, Status.EXPIRED)


def test_adopted_uncovered(scene: Scene) -> None:
    """A well-named grant that nobody approved ends now."""
    scene.run(grant())
    assert (scene.request().status, scene.request().due) == (Status.ENDING, NOON)
    assert "no approval" in str(scene.request().end_reason)


def test_malformed(scene: Scene) -> None:
    """A grant under the broker's prefix with a malformed name ends now, by a record of a derived id."""
    scene.run(grant(name="grant-broker/x", created_at=NOW, grantee=""))
    stored = scene.request(derived())
    assert (stored.status, stored.grant_id, stored.grant_name) == (Status.ENDING, "g1", "grant-broker/x")
    assert scene.run(grant(name="grant-broker/x")).drift == 1
    assert scene.request(derived()).version == 1


def test_two_of_one_name(scene: Scene) -> None:
    """Of two grants of one name in one listing the second ends."""
    scene.put(key(), votes(request()))
    scene.run(grant(), grant(grant_id="g2"))
    assert scene.request().grant_id == "g1"
    assert scene.request(derived(grant_id="g2")).status == Status.ENDING


@pytest.mark.parametrize(
    "changes",
    [{"grantee": OTHER}, {"key_arn": OTHER_KEY}, {"grant_id": "g2"}, {"name": grant_name(ID, NOW)}],
)
def test_borrowed_name(scene: Scene, changes: dict[str, object]) -> None:
    """A grant under another request's id ends without touching that request."""
    scene.put(key(), key(key_arn=OTHER_KEY), request(), votes(request()))
    scene.run(grant(), grant(**{"grant_id": "g2", **changes}))
    assert scene.request() == request()
    assert scene.request(derived(grant_id="g2")).status == Status.ENDING


def test_unreadable(scene: Scene) -> None:
    """A record that cannot be read stops neither the run nor the end of its grant."""
    scene.client.put_item(
        TableName="requests", Item={"pk": {"S": f"request#{ID}"}, "sk": {"S": "request"}, "id": {"S": ID}}
    )
    scene.run(grant())
    assert scene.request(derived()).status == Status.ENDING


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_id": "g2"},
        {"kms_name": "backup"},
        {"grantee": OTHER},
        {"key_arn": OTHER_KEY},
    ],
)
def test_a_record_written_ahead(scene: Scene, changes: dict[str, object]) -> None:
    """Who knows the grant's id can write the record by which it would end: then it gets one that is new."""
    stray = grant(name="stray")
    ending = {"status": Status.ENDING, "kms_name": "stray", "grant_id": stray.grant_id}
    lie = request(**{"id": stray.derived_id, **ending, **changes})
    scene.put(lie)
    assert scene.run(stray).drift == 1
    assert scene.request(stray.derived_id) == lie
    assert _ids_to_end(scene) == [stray.grant_id]


def test_an_unreadable_record_written_ahead(scene: Scene) -> None:
    """Neither does one that cannot be read keep the grant alive, or holds another partition's content."""
    stray = grant(name="stray")
    for content in ({"S": "none"}, {"S": ID}):
        item = item_of(request(id=stray.derived_id)) | {"id": content, "grant_id": {"S": "none"}}
        scene.client.put_item(TableName="requests", Item=item)
        scene.run(stray)
    assert _ids_to_end(scene) == [stray.grant_id] * 2


def _ids_to_end(scene: Scene) -> list[str | None]:
    """The grants of the records that reconcile has made."""
    items = scene.client.scan(TableName="requests")["Items"]
    made = [item for item in items if item["pk"]["S"].startswith("request#event-") and "status" in item]
    assert {item["status"]["S"] for item in made} == {"ending"}
    return [item["grant_id"]["S"] for item in made]


@pytest.mark.parametrize(
    "changes",
    [{"action": Action.CONFIRM, "due": NOON + 86_400}, {"ended_at": NOW + timedelta(days=900)}],
)
def test_final_and_put_off(scene: Scene, changes: dict[str, object]) -> None:
    """What is written into a closed record for a far day keeps no grant alive: it is looked for now."""
    final = {"status": Status.EXPIRED, "ended_at": NOW - timedelta(minutes=6), "action": None, "due": None}
    scene.put(request(**{**final, **changes}))
    # While a grant is young its record is believed, but not in this.
    young = grant(created_at=NOW - timedelta(seconds=30))
    assert scene.run(young).drift == 1
    assert (scene.request().action, scene.request().due) == (Action.CONFIRM, NOON)


def test_final(scene: Scene) -> None:
    """A grant that KMS still shows long after its end is put on the agenda to be confirmed now."""
    scene.put(request(status=Status.EXPIRED, ended_at=NOW - timedelta(minutes=6), action=None, due=None))
    assert scene.run(grant()).drift == 1
    assert (scene.request().action, scene.request().due) == (Action.CONFIRM, NOON)
    # For as long as it lives: that it is about to be looked for anybody can write again and again.
    assert scene.run(grant()).drift == 1


def test_propagation(scene: Scene) -> None:
    """A grant that was ended within the last five minutes may still be shown."""
    ended_at = NOW - timedelta(minutes=4)
    scene.put(request(status=Status.EXPIRED, ended_at=ended_at, grant_id=None, action=None, due=None))
    scene.store.database.transact([scene.store.uses.mark(Use(request_id=ID, at=ended_at, grant_ids=("g1",)))])
    assert scene.run(grant()).drift == 0


def test_final_of_deleted_principal(scene: Scene) -> None:
    """A lasting grant whose principal was deleted cannot be looked up by grantee, so it ends by its id."""
    scene.put(request(status=Status.EXPIRED, ended_at=CREATED, action=None, due=None))
    scene.run(grant(grantee="AROADELETED"))
    assert scene.request(derived()).grant_id == "g1"


@pytest.mark.parametrize("status", [Status.PENDING, Status.APPROVED])
def test_resumed(scene: Scene, status: Status) -> None:
    """A table restored to before the take-up catches up with the approved grant, step by step."""
    scene.put(key(), before_intent(status), votes(before_intent(status)))
    scene.run(grant())
    stored = scene.request()
    assert (stored.status, stored.grant_id, stored.due) == (Status.ACTIVE, "g1", int(EXPIRES.timestamp()))
    assert [event.type for event in scene.events()][-2:] == ["issuing", "active"]
    assert stored.last_hash == scene.events()[-1].hash


@pytest.mark.parametrize("changes", [{}, {"grantee": OTHER}])
def test_without_intent(scene: Scene, changes: dict[str, object]) -> None:
    """A grant for a request that waits for its approval ends; the request waits on."""
    scene.put(key(), before_intent(Status.PENDING), *([standing(grantee=None)] if changes else []))
    scene.run(grant(**changes))
    assert scene.request().status == Status.PENDING
    assert scene.request(derived()).status == Status.ENDING


def test_issuing(scene: Scene) -> None:
    """An intent whose answer was lost is settled by expiry; without an approval it ends."""
    issuing = request(
        status=Status.ISSUING, grant_id=None, issued_at=None, intent_at=NOW - timedelta(minutes=5),
        **agenda(Action.SETTLE, NOW),
    )  # fmt: skip
    scene.put(key(), issuing, votes(issuing))
    scene.run(grant())
    assert scene.request() == issuing
    scene.client.delete_item(
        TableName="approvals", Key={"pk": {"S": f"request#{ID}"}, "sk": {"S": "approval"}}
    )
    scene.run(grant())
    assert (scene.request().status, scene.request().grant_id) == (Status.ENDING, "g1")


def test_issuing_that_nobody_settles(scene: Scene) -> None:
    """Where expiry cannot look for the grant, its id comes from here, so that it can be retired in time."""
    issuing = request(
        status=Status.ISSUING, grant_id=None, intent_at=NOW - timedelta(minutes=5, seconds=1),
        **agenda(Action.SETTLE, NOW),
    )  # fmt: skip
    scene.put(key(), issuing, votes(issuing))
    scene.run(grant())
    stored = scene.request()
    assert (stored.status, stored.grant_id, stored.action) == (Status.ACTIVE, "g1", Action.END)
    assert stored.due == int(EXPIRES.timestamp())


def test_ending_without_its_grant(scene: Scene) -> None:
    """A request that was ended before it knew its grant is told the id, and ends at once."""
    later = agenda(Action.END, NOW + timedelta(minutes=4))
    scene.put(key(), request(status=Status.ENDING, grant_id=None, **later), votes(request()))
    scene.run(grant())
    stored = scene.request()
    assert (stored.status, stored.grant_id, stored.due) == (Status.ENDING, "g1", int(NOW.timestamp()))


def test_later_than_its_name(scene: Scene) -> None:
    """A record that would end its grant later than the name says is not believed."""
    scene.put(key(), request(expires_at=NOW + timedelta(hours=5), kms_name=grant().name), votes(request()))
    scene.run(grant())
    assert scene.request().status == Status.ENDING


def test_other_scope(scene: Scene) -> None:
    """A grant that differs from its record ends, even where an approval would cover it."""
    wide = standing(scope=standing().scope.model_copy(update={"operations": ("Encrypt", "Decrypt")}))
    scene.put(key(operations=("Encrypt", "Decrypt")), request(approval="standing-1"), wide)
    scene.run(grant(operations=("Decrypt",)))
    assert "its request" in str(scene.request().end_reason)


def test_renamed(scene: Scene) -> None:
    """A record is believed only of the grant whose name it would look for."""
    scene.put(key(), request(), votes(request()))
    scene.run(grant(name=grant_name(ID, EXPIRES + timedelta(seconds=1))))
    assert scene.request() == request()
    assert scene.request(derived()).status == Status.ENDING
