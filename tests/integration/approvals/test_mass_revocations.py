"""The kill switch: what is blocked, what ends, how far it is, and what a crash leaves."""

import inspect
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.approvals.sweep import count_unseen
from grant_broker.aws.revocations import Revocations
from grant_broker.domain.errors import NotFound
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.mass_revocations import SweepStage
from grant_broker.events.export import Line, export, verify_export
from tests.local_stack.brokers import Answer
from tests.support.context import Context
from tests.support.faults import lost, refused
from tests.support.scene import InProcessStack


def kill(scene: InProcessStack, who: str = "bob", *, once: str | None = None, **asked: Any) -> Answer:
    """Pull the kill switch."""
    body = {"reason": "incident 7", **asked}
    return scene.call(who, "POST", "/security/revocations", body, once=once)


def progress(scene: InProcessStack, revocation_id: str) -> dict[str, Any]:
    """What the API says of it."""
    answer = scene.call("alice", "GET", f"/security/revocations/{revocation_id}")
    assert answer.status == 200
    found: dict[str, Any] = answer.body
    return found


def counts(scene: InProcessStack, revocation_id: str) -> tuple[int, int, int]:
    """How many matched, have ended, and are left."""
    found = progress(scene, revocation_id)
    return found["matched"], found["ended"], found["left"]


def lift(scene: InProcessStack, revocation_id: str) -> int:
    """Lift its block."""
    return scene.call("alice", "DELETE", f"/security/revocations/{revocation_id}").status


def work(scene: InProcessStack) -> Any:
    """The minute's run, without its log."""
    handler = inspect.unwrap(scene.brokers.handler("approvals").lambda_handler)
    return handler({"job": "revocations"}, Context())


def stage(scene: InProcessStack, revocation_id: str) -> SweepStage:
    """What its job does next."""
    return scene.brokers.broker("approvals").revocations.get(revocation_id).stage


def test_a_spoilt_record_stops_nothing(scene: InProcessStack) -> None:
    """A record that was written without its id, and an item that is none, hold up no other's end."""
    spoilt, live = scene.active(), scene.active(duration="PT3H")
    item = scene.item(spoilt)
    scene.put(scene.deployment.request_table, {name: item[name] for name in item if name != "id"})
    stray = {"pk": {"S": "stray#1"}, "sk": {"S": "request"}}
    scene.put(scene.deployment.request_table, {**item, **stray})
    made = kill(scene, all=True)
    assert made.status == 202
    assert scene.status(live) == Status.ENDING
    scene.later(1)
    scene.clock.advance(minutes=2)
    work(scene)
    assert stage(scene, made.body["id"]) == SweepStage.DONE


def test_everything(scene: InProcessStack) -> None:
    """Live grants end, approved and pending requests are cancelled, whoever's they are."""
    live, approved, pending = scene.active(), scene.approved(), scene.pending()
    other = scene.submit("other_partner", grantee=scene.grantee("other_partner")).body["id"]
    made = kill(scene, all=True)
    assert (made.status, made.body["matched"]) == (202, 4)
    assert made.body.keys() == {"id", "matched"}
    assert made.headers["Location"].endswith(f"/security/revocations/{made.body['id']}")
    assert scene.status(live) == Status.ENDING
    assert {scene.status(each) for each in (approved, pending, other)} == {Status.REVOKED}
    assert counts(scene, made.body["id"]) == (4, 3, 1)
    scene.later(1)
    assert counts(scene, made.body["id"]) == (4, 4, 0)
    assert (scene.status(live), scene.grants()) == (Status.REVOKED, [])
    assert scene.request(live).end_reason == "incident 7"
    assert scene.submit().status == 403


@pytest.mark.parametrize(
    ("selectors", "hit"),
    [
        ({"key": "partner_data"}, "abc"),
        ({"account": "444455556666"}, "ab"),
        ({"grantee": "partner"}, "a"),
        ({"account": "444455556666", "grantee": "partner"}, "a"),
        ({"key": "partner_data", "account": "666677778888"}, "c"),
        ({"all": True, "account": "666677778888"}, "c"),
        ({"account": "777788889999"}, ""),
        ({"all": True, "key": None, "account": None, "grantee": None, "block_for": None}, "abc"),
    ],
)
def test_selectors(scene: InProcessStack, selectors: dict[str, Any], hit: str) -> None:
    """Every selector that is given must match; others' requests wait on, and they go on asking."""
    ids = {
        "a": scene.pending(),
        "b": scene.pending(grantee=scene.grantee("partner_colleague")),
        "c": _pending_of_other(scene),
    }
    given = {**selectors, **({"grantee": scene.grantee("partner")} if selectors.get("grantee") else {})}
    made = kill(scene, **given)
    assert (made.status, made.body["matched"]) == (202, len(hit))
    revoked = {name for name, each in ids.items() if scene.status(each) == Status.REVOKED}
    assert revoked == set(hit)
    assert scene.submit().status == (403 if "a" in hit else 201)


def _pending_of_other(scene: InProcessStack) -> str:
    return str(scene.submit("other_partner", grantee=scene.grantee("other_partner")).body["id"])


@pytest.mark.parametrize(
    "named",
    [
        "arn:aws:sts::444455556666:assumed-role/partner-application/any-session",
        "arn:aws:iam::444455556666:role/some/path/partner-application",
        "arn:aws:iam::444455556666:role/PARTNER-application",
    ],
)
def test_a_grantee_by_account_and_name(scene: InProcessStack, named: str) -> None:
    """A session stands for its role; a path and the case of letters tell no two roles apart."""
    assert scene.grantee("partner").rpartition("/")[2] == "partner-application"
    live = scene.active()
    assert kill(scene, grantee=named).body["matched"] == 1
    assert scene.status(live) == Status.ENDING
    assert scene.submit().status == 403


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "all"),
        ({"all": False}, "all"),
        ({"all": "true"}, "all"),
        ({"all": 1}, "all"),
        ({"key": "unknown"}, "key"),
        ({"account": "4444"}, "account"),
        ({"account": "666677778888", "grantee": "arn:aws:iam::444455556666:role/x"}, "grantee"),
        ({"grantee": "arn:aws:iam::444455556666:root"}, "grantee"),
        ({"all": True, "block_for": "2h"}, "block_for"),
        ({"all": True, "reason": ""}, "reason"),
        ({"all": True, "request": "x"}, "request"),
    ],
)
def test_refused(scene: InProcessStack, asked: dict[str, Any], field: str) -> None:
    """400 names the field; nothing is blocked, nothing ends."""
    live = scene.active()
    answer = kill(scene, **asked)
    assert (answer.status, [each["field"] for each in answer.body["errors"]]) == (400, [field])
    assert scene.status(live) == Status.ACTIVE
    assert scene.submit().status == 201


def test_a_closed_key(scene: InProcessStack) -> None:
    """What lives on a key that was closed ends too; by the key's ARN or its name."""
    live = scene.active()
    assert scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}").status == 204
    assert kill(scene, key=scene.key_arn).body["matched"] == 1
    assert scene.status(live) == Status.ENDING


def test_for_a_time(scene: InProcessStack) -> None:
    """A block with a time ends by itself, in a whole second and no sooner; what was revoked stays so."""
    approved = scene.approved()
    scene.clock.advance(milliseconds=1)
    made = kill(scene, all=True, block_for="PT10M").body["id"]
    assert progress(scene, made)["blocked_until"] == "2030-01-01T12:10:01Z"
    scene.clock.advance(minutes=10)
    assert scene.submit().status == 403
    scene.clock.advance(seconds=1)
    assert scene.submit().status == 201
    assert scene.status(approved) == Status.REVOKED


def test_lifted(scene: InProcessStack) -> None:
    """204, repeated 204; requests are taken again, and what was to end ends all the same."""
    live = scene.active()
    made = kill(scene, key="partner_data").body["id"]
    assert progress(scene, made)["blocked_until"] is None
    assert [lift(scene, made) for _ in range(2)] == [204, 204]
    found = progress(scene, made)
    assert found["lifted_at"] == found["blocked_until"] == "2030-01-01T12:00:00Z"
    assert scene.submit().status == 201
    scene.later(1)
    assert scene.status(live) == Status.REVOKED
    assert [
        event.type for event in scene.brokers.broker("approvals").store.get_trail(f"revocation#{made}")
    ] == [
        "revocation_made",
        "revocation_swept",
        "block_lifted",
    ]


@pytest.mark.parametrize("how", ["lifted", "over"])
def test_what_comes_after_its_block(scene: InProcessStack, how: str) -> None:
    """The second sweep spares what was submitted once the block was lifted or over, whatever its status."""
    made = kill(scene, all=True, **({"block_for": "PT5S"} if how == "over" else {})).body["id"]
    scene.clock.advance(seconds=6)
    assert lift(scene, made) == 204
    scene.clock.advance(milliseconds=1)
    later = [scene.pending(), scene.approved(), scene.active()]
    scene.clock.advance(minutes=2)
    work(scene)
    assert stage(scene, made) == SweepStage.DONE
    assert [scene.status(each) for each in later] == [Status.PENDING, Status.APPROVED, Status.ACTIVE]
    assert counts(scene, made) == (0, 0, 0)


def test_two_revocations_on_one_block(scene: InProcessStack) -> None:
    """It holds until the last of them is lifted; each is lifted for itself."""
    first, second = (kill(scene, key="partner_data").body["id"] for _ in range(2))
    assert lift(scene, first) == 204
    assert scene.submit().status == 403
    assert lift(scene, second) == 204
    assert scene.submit().status == 201


def test_unknown(scene: InProcessStack) -> None:
    """404 for a revocation that does not exist, whatever could be no id included."""
    for name in ("0" * 32, "x.y"):
        path = f"/security/revocations/{name}"
        assert [scene.call("alice", method, path).status for method in ("GET", "DELETE")] == [404, 404]


def test_listed(scene: InProcessStack) -> None:
    """All of them, the newest first, with their progress."""
    scene.active()
    first = kill(scene, all=True).body["id"]
    scene.clock.sleep(1)
    second = kill(scene, account="444455556666").body["id"]
    page = scene.call("alice", "GET", "/security/revocations")
    assert [(each["id"], each["all"], each["left"]) for each in page.body["items"]] == [
        (second, False, 0),
        (first, True, 1),
    ]


def test_repeated(scene: InProcessStack) -> None:
    """The same key and body is the same revocation, as it is now; another body is 409."""
    scene.active()
    first, second = (kill(scene, all=True, once="k") for _ in range(2))
    assert (first.status, first.body) == (second.status, second.body)
    assert kill(scene, key="partner_data", once="k").status == 409
    assert len(scene.call("alice", "GET", "/security/revocations").body["items"]) == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"reason", "all"}),
        ({"key": "No!", "account": "acme"}, {"key", "account", "reason"}),
        ({"all": False, "reason": "x"}, {"all"}),
        ({"account": "666677778888", "grantee": "arn:aws:iam::444455556666:role/a"}, {"grantee", "reason"}),
    ],
)
def test_all_faults_at_once(scene: InProcessStack, body: dict[str, Any], fields: set[str]) -> None:
    """What is missing, malformed and contradictory is told in one answer, and blocks nothing."""
    answer = scene.call("alice", "POST", "/security/revocations", body)
    assert (answer.status, {fault["field"] for fault in answer.body["errors"]}) == (400, fields)
    assert scene.call("alice", "GET", "/security/revocations").body["items"] == []


def test_one_person_decides(scene: InProcessStack) -> None:
    """Whatever the key's quorum, one approver is enough, and nobody else is let in."""
    assert scene.limit(quorum=2).status in {200, 202}
    assert kill(scene, "partner", all=True).status == 403
    assert kill(scene, "impostor", all=True).status == 403
    assert kill(scene, "bob", all=True).status == 202


def test_submitted_in_the_same_moment(scene: InProcessStack) -> None:
    """What was submitted in the same moment is found by the second sweep, and not counted."""
    made = kill(scene, account="666677778888").body["id"]
    late = _submitted_past(scene, made)
    assert counts(scene, made) == (0, 0, 0)
    scene.clock.sleep(59)
    work(scene)
    assert (scene.status(late), stage(scene, made)) == (Status.PENDING, SweepStage.SECOND_SWEEP)
    scene.clock.sleep(1)
    assert work(scene) == {"jobs": 1}
    assert (scene.status(late), stage(scene, made)) == (Status.REVOKED, SweepStage.DONE)
    assert counts(scene, made) == (0, 0, 0)
    assert progress(scene, made)["finished_at"] == "2030-01-01T12:01:00Z"
    assert work(scene) == {"jobs": 0}


def _submitted_past(scene: InProcessStack, revocation_id: str) -> str:
    """A request of the blocked account that was read before the block and stored after it."""
    store = scene.brokers.broker("approvals").store
    revocation = Revocations(store.tables).get(revocation_id)
    block = store.blocks.find(revocation.selectors)
    assert block is not None
    store.commit(block.lifted(revocation_id, scene.clock.now))
    return _pending_of_other(scene)


def test_in_flight_at_kms(scene: InProcessStack) -> None:
    """A grant that KMS is making when the switch is pulled ends as well."""
    waiting = scene.approved()
    with scene.meanwhile("CreateGrant", lambda: kill(scene, all=True)) as made:
        answer = scene.take_up(waiting)
    assert (made[0].body["matched"], answer.status) == (1, 409)
    assert len(scene.grants()) == 1
    scene.later(1)
    assert (scene.grants(), scene.status(waiting)) == ([], Status.REVOKED)


def test_activated_between_two_reads(scene: InProcessStack) -> None:
    """What was issuing when the block came, and is active a moment later, ends in the first sweep."""
    live = scene.active()
    scene.alter(live, status={"S": Status.ISSUING})

    def activate() -> None:
        if scene.status(live) == Status.ISSUING:
            scene.alter(live, status={"S": Status.ACTIVE})

    with scene.meanwhile("Query", activate, nth=2):
        kill(scene, all=True)
    assert scene.status(live) == Status.ENDING


def test_the_votes_go_with_it(scene: InProcessStack) -> None:
    """A request table restored to before the revocation revives nothing, also when the block is lifted."""
    waiting = scene.approved()
    before = scene.item(waiting)
    made = kill(scene, all=True).body["id"]
    assert lift(scene, made) == 204
    scene.put(scene.deployment.request_table, before)
    answer = scene.take_up(waiting)
    assert (answer.status, "withdrawn" in answer.body["detail"]) == (409, True)


def test_a_call_that_has_no_time_for_all(scene: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts what it has yet to come to, and the minute's run goes on where it was."""
    monkeypatch.setattr("grant_broker.approvals.sweep._TOGETHER", 2)
    monkeypatch.setattr("grant_broker.aws.lists._PAGE", 3)
    ids = [scene.active() for _ in range(5)] + [scene.pending()]
    broker = _slow(scene, 12.1, after=4)
    monkeypatch.setattr(scene.brokers.handler("approvals"), "broker", lambda: broker)
    made = kill(scene, all=True)
    monkeypatch.setattr(
        scene.brokers.handler("approvals"), "broker", lambda: scene.brokers.broker("approvals")
    )
    done = [each for each in ids if scene.status(each) == Status.ENDING]
    assert 0 < len(done) < 5
    assert (made.status, made.body["matched"]) == (202, 6)
    assert counts(scene, made.body["id"]) == (6, 0, 6)
    stored = broker.revocations.get(made.body["id"])
    monkeypatch.setattr("grant_broker.aws.lists._PAGE", 1)
    # Another worker has written meanwhile: what was counted here is not stored.
    overtaken = stored.model_copy(update={"version": stored.version - 1, "matched": 99})
    assert count_unseen(broker, overtaken, until=scene.clock.now) == stored
    late = scene.clock.now + timedelta(hours=1)
    assert count_unseen(scene.brokers.broker("approvals"), overtaken, until=late) == stored
    work(scene)
    assert counts(scene, made.body["id"]) == (6, 1, 5)
    scene.later(14)
    assert counts(scene, made.body["id"]) == (6, 6, 0)


def _slow(scene: InProcessStack, seconds: float, *, after: int) -> Any:
    """The broker of `approvals` by whose clock so much time passes after so many looks at it."""
    looks: list[int] = []

    def clock() -> Any:
        looks.append(1)
        return scene.clock.now + timedelta(seconds=seconds if len(looks) > after else 0)

    return replace(scene.brokers.broker("approvals"), clock=clock)


def test_several_pages(scene: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page after page, though each takes away what the next one's place was counted from."""
    monkeypatch.setattr("grant_broker.aws.lists._PAGE", 2)
    monkeypatch.setattr("grant_broker.approvals.sweep._TOGETHER", 1)
    ids = [scene.pending() for _ in range(5)]
    left = _pending_of_other(scene)
    made = kill(scene, account="444455556666")
    assert made.body["matched"] == 5
    assert {scene.status(each) for each in ids} == {Status.REVOKED}
    assert scene.status(left) == Status.PENDING


@pytest.mark.parametrize("nth", range(1, 7))
def test_the_database_stops_answering(scene: InProcessStack, nth: int) -> None:
    """Whichever call of the job fails: 202 or 503, the block stands or nothing does, and the rest follows."""
    live, waiting = scene.active(), scene.pending()
    broken = refused("InternalServerError", 500)
    plan = {"TransactWriteItems": [*[None] * (nth - 1), broken], "Query": [*[None] * (nth - 1), broken]}
    with scene.faults(plan):
        answer = kill(scene, all=True, once="k")
    assert answer.status in {202, 503}
    again = kill(scene, all=True, once="k")
    assert again.status == 202
    work(scene)
    scene.later(1)
    assert {scene.status(each) for each in (live, waiting)} == {Status.REVOKED}
    assert counts(scene, again.body["id"]) == (2, 2, 0)


@pytest.mark.parametrize("nth", range(1, 7))
def test_answers_are_lost(scene: InProcessStack, nth: int) -> None:
    """A write whose answer is lost is found to have happened: nothing is counted twice."""
    live, waiting = scene.active(), scene.pending()
    with scene.faults({"TransactWriteItems": [*[None] * (nth - 1), lost, None]}):
        answer = kill(scene, all=True, once="k")
    again = kill(scene, all=True, once="k")
    assert (answer.status in {202, 503}, again.status) == (True, 202)
    work(scene)
    scene.later(1)
    assert {scene.status(each) for each in (live, waiting)} == {Status.REVOKED}
    assert counts(scene, again.body["id"])[1:] == (2, 0)


def test_one_that_moves_meanwhile(scene: InProcessStack) -> None:
    """What another writer ends in the moment of the batch is left to it; the rest of the batch is done."""
    first, second = scene.active(), scene.active()
    with scene.meanwhile("TransactWriteItems", lambda: scene.release(first), nth=3):
        made = kill(scene, all=True)
    assert (scene.request(first).end_as, scene.request(second).end_as) == (Status.RELEASED, Status.REVOKED)
    assert made.body["matched"] == 1


def test_one_that_is_lost_meanwhile(scene: InProcessStack) -> None:
    """What the table holds no more stops nobody."""
    first, second = scene.active(), scene.active()
    with scene.meanwhile("TransactWriteItems", lambda: scene.lose(first), nth=3):
        kill(scene, all=True)
    assert scene.status(second) == Status.ENDING


def test_one_that_the_database_refuses(scene: InProcessStack) -> None:
    """A record that cannot be written is told to the log; the others of its batch are."""
    first, second = scene.active(), scene.active()
    scene.alter(first, version={"N": "999999"})

    def of_first(call: Any) -> bool:
        puts = [item["Put"]["Item"]["pk"]["S"] for item in call.parameters["TransactItems"] if "Put" in item]
        return f"request#{first}" in puts

    with scene.faults({"TransactWriteItems": refused("ValidationException")}, when=of_first):
        made = kill(scene, all=True)
    assert (scene.status(first), scene.status(second)) == (Status.ACTIVE, Status.ENDING)
    assert counts(scene, made.body["id"]) == (1, 0, 1)


def test_one_that_cannot_be_read(scene: InProcessStack) -> None:
    """An unreadable record stops nobody; its grant is reconcile's, by the block."""
    first, second = scene.active(), scene.active()
    scene.alter(first, duration={"S": "forever"})
    kill(scene, all=True)
    assert scene.status(second) == Status.ENDING


def test_an_item_that_is_no_request(scene: InProcessStack) -> None:
    """Whoever can write the table may put anything under a status: it holds up no other's end."""
    approval = scene.approve_ahead().body["id"]
    live = scene.submit().body["id"]
    about = {"key_arn": {"S": scene.key_arn}, "account": {"S": "444455556666"}, "grantee": {"NULL": True}}
    for pk, sort in (("request#forged", "x"), ("junk", "request"), ("request#" + "f" * 32, "request")):
        key = {"pk": {"S": pk}, "sk": {"S": sort}, "status": {"S": "active"}, "listed_at": {"S": "0"}}
        scene.put(scene.deployment.request_table, {**key, **about, "approval": {"M": {}}})
    path = f"/security/approvals/{approval}"
    assert scene.call("bob", "DELETE", path, query={"revoke_active": "true"}).status == 204
    assert scene.status(live) == Status.ENDING
    assert kill(scene, all=True).status == 202


def test_a_job_that_fails_holds_up_no_other(scene: InProcessStack) -> None:
    """The minute's run goes on with the others, and fails at its end."""
    first, second = (kill(scene, account=account).body["id"] for account in ("444455556666", "666677778888"))
    key = {"pk": {"S": f"revocation#{first}"}, "sk": {"S": "revocation"}}
    scene.tables.delete_item(TableName=scene.deployment.approval_table, Key=key)
    scene.clock.sleep(60)
    with pytest.raises(NotFound):
        work(scene)
    assert stage(scene, second) == SweepStage.DONE


def test_two_at_the_same_job(scene: InProcessStack) -> None:
    """Of two that work on a job one stops, and nothing is counted twice."""
    ids = [scene.active(), scene.pending()]
    with scene.meanwhile("TransactWriteItems", lambda: work(scene), nth=2):
        made = kill(scene, all=True)
    assert made.body["matched"] == 2
    scene.later(1)
    assert counts(scene, made.body["id"]) == (2, 2, 0)
    assert {scene.status(each) for each in ids} == {Status.REVOKED}


def test_what_is_measured(scene: InProcessStack) -> None:
    """That a block was made, and how old each job is that is not done."""
    kill(scene, all=True)
    scene.clock.sleep(30)
    work(scene)
    assert (scene.measured("BlocksMade"), scene.measured("RevocationAgeSeconds")) == ([1], [30.0])


def test_a_withdrawn_approvals_job_blocks_nothing(scene: InProcessStack) -> None:
    """revoke_active is a job, shown like the others: what it covered ends, and nothing is blocked."""
    approval = scene.approve_ahead().body["id"]
    live = scene.submit().body["id"]
    later = scene.submit(starts_at="2030-01-01T13:00:00Z").body
    assert later["status"] == "approved"
    path = f"/security/approvals/{approval}"
    assert scene.call("bob", "DELETE", path, query={"revoke_active": "true"}).status == 204
    assert (scene.status(live), scene.status(later["id"])) == (Status.ENDING, Status.REVOKED)
    assert counts(scene, approval) == (2, 1, 1)
    assert progress(scene, approval)["approval"] == approval
    assert lift(scene, approval) == 204
    assert scene.submit().status == 201


def test_its_trail(scene: InProcessStack) -> None:
    """Found by key and by account; its head is its record's, so that a trail cut off at the end is seen."""
    made = kill(scene, key="partner_data", account="444455556666").body["id"]
    other = kill(scene, account="666677778888").body["id"]

    def ids(**query: str) -> list[str]:
        answer = scene.call("alice", "GET", "/security/events", query={"type": "revocation_made", **query})
        return [event["id"] for event in answer.body["items"]]

    assert len(ids()) == 2
    assert len(ids(key="partner_data")) == len(ids(account="666677778888")) == 1
    store = scene.brokers.broker("reconcile").store
    lines = [line.model_dump_json() for line in export(store)]
    assert verify_export(map(Line.model_validate_json, lines)).broken == {}
    cut = [line for line in lines if f"revocation#{made}" not in line or "revocation_swept" not in line]
    assert len(cut) == len(lines) - 1
    broken = verify_export(map(Line.model_validate_json, cut)).broken
    assert [breach.kind for breach in broken.values()] == ["truncated"]
    assert list(broken) == [f"revocation#{made}"]
    assert other != made


def test_an_extension_under_a_block(scene: InProcessStack) -> None:
    """What goes on with a grant is a new one: refused, while the old one has its time."""
    live = scene.active()
    block = kill(scene, key="partner_data").body["id"]
    scene.put(scene.deployment.request_table, scene.item(live) | {"status": {"S": "active"}})
    answer = scene.call(
        "partner", "POST", f"/requests/{live}/extension", {"duration": "PT4H", "reason": "more"}
    )
    assert (answer.status, "on this key" in answer.body["detail"]) == (403, True)
    assert lift(scene, block) == 204


def test_one_that_always_moves(scene: InProcessStack) -> None:
    """A record whose next event is there already cannot be written: it stops neither its job nor others."""
    first, second = scene.active(), scene.active()
    ahead = f"event#{scene.request(first).version + 1:06d}"
    scene.put(scene.deployment.request_table, {"pk": {"S": f"request#{first}"}, "sk": {"S": ahead}})
    made = kill(scene, all=True)
    assert (scene.status(first), scene.status(second)) == (Status.ACTIVE, Status.ENDING)
    assert stage(scene, made.body["id"]) == SweepStage.SECOND_SWEEP
    scene.clock.advance(minutes=2)
    assert work(scene) == {"jobs": 1}
    assert stage(scene, made.body["id"]) == SweepStage.DONE
