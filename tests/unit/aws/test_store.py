"""Both tables: what a transaction holds, and whose write it was after a lost answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.aws.attributes import plain, serialized
from grant_broker.aws.counters import CallLimits
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.items import item_of, key_of, record_of
from grant_broker.aws.proposals import Proposals
from grant_broker.aws.store import Store
from grant_broker.domain.agenda import Part
from grant_broker.domain.approvals import Approval
from grant_broker.domain.checks import Check, Function
from grant_broker.domain.errors import Stale, Unavailable
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.proposals import Proposal
from grant_broker.domain.records import Record, Stamp
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.trail import Event
from grant_broker.domain.transitions import ending
from grant_broker.domain.versions import record_event, revise
from tests.support.records import (
    ACCOUNT,
    CREATED,
    EXPIRES,
    GRANTEE,
    ID,
    KEY,
    NOW,
    SCOPE,
    agenda,
    before_intent,
    key,
    request,
    standing,
    votes,
)
from tests.support.scripted_client import Script, cancelled, refusal

OTHER: Any = {"Delete": {}}
LOST = cancelled("ConditionalCheckFailed")

STAMP = Stamp(NOW, "alice", "e")


def store(*answers: Any, shards: int = 1) -> tuple[Store, Script]:
    """A store on a client that answers so."""
    script = Script(*answers)
    database = DynamoDb(script, sleep=lambda _seconds: None)  # type: ignore[arg-type]
    made = Store(database, request_table="requests", approval_table="approvals", agenda_shards=shards)
    return made, script


def written(script: Script, call: int = 0) -> list[dict[str, Any]]:
    """The items of a transaction."""
    operation, parameters = script.calls[call]
    assert operation == "transact_write_items"
    items: list[dict[str, Any]] = parameters["TransactItems"]
    return items


def test_commit() -> None:
    """Record and event are one transaction, each on the version that was read, with all checks."""
    written_to, script = store({})
    change = ending(request(), STAMP, Status.REVOKED, "x")
    written_to.commit(change, checks=[key(), standing()], others=[OTHER])
    record, event, first, second, other = written(script)
    assert (record["Put"]["TableName"], plain(record["Put"]["Item"])["version"]) == ("requests", 2)
    assert record["Put"]["ConditionExpression"] == "version = :version"
    assert record["Put"]["ExpressionAttributeValues"] == {":version": {"N": "1"}}
    assert event["Put"]["ConditionExpression"] == "attribute_not_exists(pk)"
    assert plain(event["Put"]["Item"])["sk"] == "event#000001"
    for check, of in ((first, key()), (second, standing())):
        assert check["ConditionCheck"]["TableName"] == "approvals"
        assert check["ConditionCheck"]["Key"] == key_of(of)
        assert check["ConditionCheck"]["ExpressionAttributeValues"] == {":version": {"N": "1"}}
    assert other == OTHER


def test_first_write() -> None:
    """A new record is written only where there is none; bookkeeping writes no event."""
    written_to, script = store({})
    written_to.commit(revise(before_intent(Status.PENDING, version=0), {"attempts": 1}))
    (record,) = written(script)
    assert record["Put"]["ConditionExpression"] == "attribute_not_exists(pk)"
    assert "ExpressionAttributeValues" not in record["Put"]


def test_lost_answer() -> None:
    """After a lost answer a repeat finds its own write, and has happened."""
    change = ending(request(), STAMP, Status.REVOKED, "x")
    written_to, script = store(LOST, {"Item": item_of(change.record)})
    written_to.commit(change)
    assert script.calls[1][1]["Key"] == key_of(change.record)


def test_somebody_else() -> None:
    """Another's write is stale: another version, another event, or nothing at all."""
    mine = ending(request(), STAMP, Status.REVOKED, "x")
    other = ending(request(), STAMP._replace(event_id="another"), Status.REVOKED, "x")
    for stored in ({"Item": item_of(other.record)}, {"Item": item_of(request())}, {}):
        with pytest.raises(Stale):
            store(LOST, stored)[0].commit(mine)


def test_one_of_two() -> None:
    """A transaction of two records is one's own only if both are."""
    mine = ending(request(), STAMP, Status.REVOKED, "x")
    vote = revise(votes(request()), {"reason": "x"})
    with pytest.raises(Stale):
        store(LOST, {"Item": item_of(mine.record)}, {})[0].commit(mine, vote)
    store(LOST, {"Item": item_of(mine.record)}, {"Item": item_of(vote.record)})[0].commit(mine, vote)


def test_checks_only() -> None:
    """What checks alone is stale where a check fails: there is no write that could be one's own."""
    with pytest.raises(Stale):
        store(LOST)[0].commit(checks=[key()])


def test_check_of_what_is_not_there() -> None:
    """A record that was not stored when it was read must still not be there."""
    checked, script = store({})
    checked.commit(checks=[key().model_copy(update={"version": 0})])
    (check,) = written(script)
    assert check["ConditionCheck"]["ConditionExpression"] == "attribute_not_exists(pk)"
    assert "ExpressionAttributeValues" not in check["ConditionCheck"]


def test_unavailable() -> None:
    """Where DynamoDB did not say, nothing is concluded."""
    with pytest.raises(Unavailable):
        store(refusal("InternalServerError", 500))[0].commit(revise(request(), {"attempts": 1}))


RECORDS: list[Any] = [
    request(), request(ended_at=NOW, grant_token="t", starts_at=NOW + timedelta(milliseconds=5)),
    before_intent(Status.PENDING), key(), key(required_context={"t": "${account}"}, quorum=2), standing(),
    standing(grantee=None, valid_until=NOW), votes(request()),
    Proposal(document=key().document, base_version=1, proposed_at=NOW, voters=("alice",), version=1),
    record_event(request(), "ending", STAMP, {"n": 1, "x": None, "l": ["a"]}, {}).event,
]  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_round_trip(record: Any) -> None:
    """What is stored is read as the same, and stored again as the same item."""
    found = record_of(type(record), plain(item_of(record)))
    assert found == record
    assert item_of(found) == item_of(record)


def test_reads() -> None:
    """Each record is read by its key from its table; what is not there is None."""
    absent, _ = store({})
    found: list[object] = [
        absent.find_request(ID),
        absent.find_votes(ID),
        absent.find_approval("a"),
        absent.find_key(KEY),
    ]
    assert found == [None] * 4
    assert absent.find_label("name", "partner_data") is None
    proposal = Proposal(document=key().document, base_version=1, proposed_at=NOW)
    assert Proposals(absent.tables).find(proposal) is None
    reads: list[tuple[Callable[[Store], Record | None], Record, str]] = [
        (lambda it: it.find_request(ID), request(), "requests"),
        (lambda it: it.find_votes(ID), votes(request()), "approvals"),
        (lambda it: it.find_approval("standing-1"), standing(), "approvals"),
        (lambda it: it.find_key(KEY), key(), "approvals"),
        (lambda it: Proposals(it.tables).find(proposal), proposal, "approvals"),
    ]
    for read, record, table in reads:
        holding, script = store({"Item": item_of(record)})
        assert read(holding) == record
        assert script.calls[0][1] | {"TableName": table, "Key": key_of(record)} == script.calls[0][1]


def test_held_labels() -> None:
    """A label is taken where it is free, or from whoever is known to hold it."""
    held, _ = store({"Item": serialized({"pk": "name#n", "sk": "name", "key_arn": KEY})})
    assert held.find_label("name", "n") == KEY
    assert (
        held.put_label("name", "n", KEY, borne_by=None)["Put"]["ConditionExpression"]
        == "attribute_not_exists(pk)"
    )
    taken = held.put_label("name", "n", KEY, borne_by="other")["Put"]
    assert taken["ExpressionAttributeValues"] == {":bearer": {"S": "other"}}
    assert taken["Item"] == serialized({"pk": "name#n", "sk": "name", "key_arn": KEY})


def test_held() -> None:
    """A grantee's holdings are found by key and role, as many as are asked for."""
    record = request(ended_at=NOW)
    found, script = store({"Items": [item_of(record), item_of(request(id="f" * 32))]})
    (holding,) = found.lists.list_holdings(key_arn=KEY, grantee=GRANTEE, since=CREATED, most=1)
    assert (holding.request_id, holding.status, holding.scope) == (ID, Status.ACTIVE, SCOPE)
    assert (holding.issued_at, holding.expires_at, holding.ended_at) == (CREATED, EXPIRES, NOW)
    assert found.lists.list_holdings(key_arn=KEY, grantee=GRANTEE, since=CREATED, most=2)[1].ended_at is None
    values = plain(script.calls[0][1]["ExpressionAttributeValues"])
    assert values == {":holder": f"{KEY}#{ACCOUNT}:role/partner", ":since": int(CREATED.timestamp())}
    assert plain(item_of(record))["holder"] == values[":holder"]


@pytest.mark.parametrize(
    ("record", "indexed"),
    [
        (request(), {"agenda", "open_account", "holder", "held_until"}),
        (request(status=Status.EXPIRED, action=None, due=None), {"holder", "held_until"}),
        (request(status=Status.FAILED), {"agenda"}),
        (request(status=Status.ISSUING, grant_id=None), {"agenda", "open_account", "holder", "held_until"}),
        (before_intent(Status.PENDING), {"agenda", "open_account"}),
        (standing(), {"covering"}),
        (votes(request()), set()),
        (key(), set()),
    ],
)
def test_indexes(record: Record, indexed: set[str]) -> None:
    """Only what an index is about is in it."""
    names = {"agenda", "open_account", "holder", "held_until", "covering"}
    assert names & set(item_of(record)) == indexed


def test_queries() -> None:
    """Queries read their index and give records."""
    found, script = store({"Items": [item_of(standing())]})
    assert list(found.lists.list_approvals_for(key_arn=KEY, account=ACCOUNT)) == [standing()]
    assert plain(script.calls[0][1]["ExpressionAttributeValues"]) == {":covering": f"{KEY}#{ACCOUNT}"}
    event = record_event(request(), "ending", STAMP, {}, {}).event
    assert event is not None
    found, script = store({"Items": [item_of(event)]})
    assert found.get_trail(event.subject) == [event]
    assert script.calls[0][1]["ConsistentRead"] is True
    found, script = store({"Items": [{"revocation": {"S": "r"}}] * 2})
    assert found.lists.count_ending() == {"r": 2}
    found, script = store({"Items": [{"id": {"S": ID}}]})
    assert found.lists.read_status(Status.ACTIVE, start=None).items == [{"id": ID}]
    found, _ = store({"Items": [{"grantee": {"S": "g"}, "status": {"S": "pending"}}] * 3})
    assert len(list(found.lists.list_open(ACCOUNT, limit=2))) == 2


ENTRIES = [
    {"pk": {"S": f"request#{ID}"}, "sk": {"S": "request"}, "due": {"N": "5"}, "grant_id": {"S": "g"}},
    {"pk": {"S": "other"}, "sk": {"S": "request"}, "due": {"N": "6"}},
    {"pk": {"S": "request#x"}, "sk": {"S": "event#000001"}, "due": {"N": "7"}},
]


def test_agenda() -> None:
    """What is due is told with its request, and an entry that is none of a request with its key."""
    found, script = store({"Items": ENTRIES})
    coming = found.agenda.read_due(Part.ENDS, 10, most=3)
    assert [(entry.id, entry.due) for entry in coming.entries] == [(ID, 5), (None, 6), (None, 7)]
    assert [entry.key for entry in coming.entries][1] == ("other", "request")
    assert (coming.complete, coming.entries[0].grant_id) == (True, "g")
    assert script.calls[0][1]["Limit"] == 3
    assert plain(script.calls[0][1]["ExpressionAttributeValues"]) == {":agenda": "ends#0", ":until": 10}
    assert agenda(Action.END, NOW) == {"action": Action.END, "due": int(NOW.timestamp())}
    written_to, script = store({"Attributes": {}})
    written_to.agenda.postpone(coming.entries[1], 99)
    assert script.calls[0][1]["Key"] == serialized({"pk": "other", "sk": "request"})


def test_a_throttled_page_keeps_what_came_before_it() -> None:
    """What the database gave is given, and that it is not all."""
    page = {"Items": ENTRIES[:2], "LastEvaluatedKey": {"pk": {"S": "other"}}}
    found, script = store(page, refusal("ThrottlingException"))
    coming = found.agenda.read_due(Part.REST, 10, most=500)
    assert ([entry.due for entry in coming.entries], coming.complete) == ([5, 6], False)
    assert script.calls[1][1]["ExclusiveStartKey"] == page["LastEvaluatedKey"]


def test_shards_of_the_agenda() -> None:
    """Every shard of a part is read, what they bring is in one order, and one that fails hides no other."""
    answers = {"Items": ENTRIES[1:2]}, refusal("ThrottlingException"), {"Items": [ENTRIES[2], ENTRIES[0]]}
    found, script = store(*answers, shards=3)
    coming = found.agenda.read_due(Part.ENDS, 10, most=2)
    assert ([entry.due for entry in coming.entries], coming.complete) == ([5, 6], False)
    read = [plain(given["ExpressionAttributeValues"])[":agenda"] for _, given in script.calls]
    assert read == ["ends#0", "ends#1", "ends#2"]


def test_a_request_s_place_on_the_agenda() -> None:
    """Ends in one part, the rest in the other, each in the shard of its id: where `read_due` reads."""
    shards = {plain(item_of(request(id=f"{n:032x}"), agenda_shards=3))["agenda"] for n in range(50)}
    assert shards == {"ends#0", "ends#1", "ends#2"}
    assert plain(item_of(before_intent(Status.PENDING)))["agenda"] == "rest#0"
    written_to, script = store({}, shards=50)
    written_to.commit(change := ending(request(), STAMP, Status.REVOKED, "x"))
    put = written(script)[0]["Put"]["Item"]
    assert put == item_of(change.record, agenda_shards=50) != item_of(change.record)


def test_old_entries_are_moved() -> None:
    """Entries of the one partition of version 0.1 get to their part, unless they were written meanwhile."""
    old = [{**ENTRIES[0], "action": {"S": "end"}}, {**ENTRIES[1], "action": {"M": {}}}]
    found, script = store({"Items": old}, {"Attributes": {}}, refusal("ConditionalCheckFailedException"))
    found.agenda.move_old_entries(10)
    moved = [plain(given["ExpressionAttributeValues"]) for _, given in script.calls]
    assert moved == [
        {":agenda": "agenda", ":until": 10},
        {":partition": "ends#0", ":old": "agenda"},
        {":partition": "rest#0", ":old": "agenda"},
    ]


def test_checks() -> None:
    """A function's check of a key is read by its key, and found on an agenda of its own while it is due."""
    due = Check(function=Function.EXPIRY, key_arn=KEY, due=5, version=1)
    found, script = store({"Item": item_of(due)})
    assert found.find_check(Function.EXPIRY, KEY) == due
    assert (
        script.calls[0][1]["Key"] == key_of(due) == serialized({"pk": f"check#expiry#{KEY}", "sk": "check"})
    )
    found, script = store({"Items": [item_of(due)]})
    assert list(found.agenda.list_checks_due(Function.EXPIRY, 10)) == [KEY]
    assert plain(script.calls[0][1]["ExpressionAttributeValues"]) == {":agenda": "check#expiry", ":until": 10}
    assert plain(item_of(due))["agenda"] == "check#expiry"
    assert "agenda" not in item_of(due.stopped().record)


def test_counters() -> None:
    """Calls and turns are counted by one atomic update each."""
    counted, script = store({"Attributes": {"turns": {"N": "7"}}})
    counted.counters.count_call(ACCOUNT, CallLimits(5, 1000), now=605, stored=300)
    assert counted.counters.claim("retire", 60, 2) == 7
    values = [plain(call[1]["ExpressionAttributeValues"]) for call in script.calls]
    assert values == [
        {":one": 1, ":stored": 300, ":most": 5, ":room": 700, ":expires": 4205},
        {":count": 2, ":expires": 3660},
    ]
    refusing, _ = store(refusal("ConditionalCheckFailedException"))
    with pytest.raises(Stale):
        refusing.counters.count_call(ACCOUNT, CallLimits(5, 1000), now=605, stored=0)


def test_tables() -> None:
    """Requests and events live in the request table, everything else in the approval table."""
    tables, _ = store({})
    kinds: dict[type[Any], str] = {type(record): tables.tables.table_of(record) for record in RECORDS}
    assert kinds == {
        GrantRequest: "requests", Event: "requests", Key: "approvals", Approval: "approvals",
        Proposal: "approvals",
    }  # fmt: skip
