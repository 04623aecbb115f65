"""Requests, read by key, and the transactions that write records, one event with each transition."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from grant_broker.aws.agenda import Agenda
from grant_broker.aws.attributes import Attributes, serialized
from grant_broker.aws.counters import Counters
from grant_broker.aws.dynamodb import DynamoDb, Query, Write
from grant_broker.aws.glass import Glass
from grant_broker.aws.items import item_of, key_of, readable, record_of
from grant_broker.aws.leases import Leases
from grant_broker.aws.tables import Tables
from grant_broker.aws.uses import Uses
from grant_broker.domain.checks import Check, Function
from grant_broker.domain.errors import NotFound, Stale
from grant_broker.domain.records import Change, Record
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.texts import is_id
from grant_broker.domain.tombstones import Tombstone, is_tombstone
from grant_broker.domain.trail import Event

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ConditionCheckTypeDef, PutTypeDef

R = TypeVar("R", bound=Record)


class RequestStore:
    """What whoever ends grants needs of both tables; it is apart since `expiry` loads nothing else of them.

    Reads by key are consistent; `find_…` gives None, `get_…` raises NotFound.
    """

    def __init__(
        self,
        database: DynamoDb,
        *,
        request_table: str,
        approval_table: str | None = None,
        agenda_shards: int = 1,
    ) -> None:
        self.database = database
        self.tables = Tables(database, request_table, approval_table)
        self.agenda = Agenda(self.tables, agenda_shards)
        self.counters = Counters(self.tables)
        self.glass = Glass(self.tables)
        self.leases = Leases(self.tables)
        self.uses = Uses(self.tables)

    def find_request(self, request_id: str) -> GrantRequest | None:
        """Find a request; one that was moved to the archive is not found."""
        found = self.look_up_request(request_id)
        return None if isinstance(found, Tombstone) else found

    def look_up_request(self, request_id: str) -> GrantRequest | Tombstone | None:
        """Find a request, or what was left in its place when it was moved to the archive."""
        item = self.database.get(self.tables.request_table, f"request#{request_id}", GrantRequest.SORT_KEY)
        if item is None:
            return None
        return record_of(Tombstone, item) if is_tombstone(item) else record_of(GrantRequest, item)

    def get_request(self, request_id: str, *, account: str | None = None) -> GrantRequest:
        """Get a request. One of another account than `account` is not found, in the same words."""
        request = self.look_up_request(request_id) if is_id(request_id) else None
        whose = request.about.account if isinstance(request, Tombstone) else request and request.account
        if request is None or account not in {None, whose}:
            raise NotFound("there is no such request")
        if isinstance(request, Tombstone):
            raise NotFound(
                f"the request was {request.about.status} and is in the archive by now: the security team "
                "finds it with grant-broker audit search"
            )
        return request

    def find_requests(self, ids: Collection[str]) -> list[GrantRequest]:
        """Find those of these requests that exist; one that cannot be read is logged."""
        keys = [(f"request#{name}", "request") for name in ids]
        items = self.database.get_many(self.tables.request_table, keys)
        return list(readable(GrantRequest, (item for item in items if not is_tombstone(item))))

    def find_check(self, function: Function, key_arn: str) -> Check | None:
        """Find the last check of one function on a key."""
        return self._find(Check, f"check#{function}#{key_arn}")

    def get_trail(self, subject: str) -> list[Event]:
        """Get the events of one subject in order; none where nothing is known of it."""
        items = self.database.query(
            Query(
                table=self.tables.request_table,
                condition="pk = :subject AND begins_with(sk, :events)",
                values={":subject": subject, ":events": "event#"},
                consistent=True,
            )
        )
        return [record_of(Event, item) for item in items]

    def commit(self, *changes: Change, checks: Sequence[Record] = (), others: Sequence[Write] = ()) -> None:
        """Write all changes with their events, or none, provided that no record in them or in `checks` moved.

        Changes of one record follow one another; its last version alone is written. Raises Stale where
        another writer was first, Unavailable where DynamoDB did not say. After a lost answer a repeat finds
        its own write: if what is stored is what was to be written, it has happened.
        """
        last = {change.record.key: change.record for change in changes}
        events = [change.event for change in changes if change.event]
        puts = [self._put_record(record, changes) for record in last.values()]
        told = [put_item(self.tables.table_of(event), item_of(event), NEW) for event in events]
        unmoved = [self._unmoved(record) for record in checks]
        try:
            self.database.transact([*puts, *told, *unmoved, *others])
        except Stale:
            if not changes or not all(map(self._is_stored, last.values())):
                raise

    def delete_event(self, event: Event) -> Write:
        """Make the write, for `commit`, that takes an event away, provided that it is this one."""
        return {
            "Delete": {
                "TableName": self.tables.table_of(event),
                "Key": key_of(event),
                "ConditionExpression": "#hash = :hash",
                "ExpressionAttributeNames": {"#hash": "hash"},
                "ExpressionAttributeValues": serialized({":hash": event.hash}),
            }
        }

    def _find(self, model: type[R], subject: str) -> R | None:
        return self.tables.find(model, (subject, model.SORT_KEY))

    def _put_record(self, record: Record, changes: Sequence[Change]) -> Write:
        """Put a record over the version that the first of its changes was made on."""
        own = (c.record for c in changes if c.record.key == record.key)
        before = min(each.version for each in own) - 1
        return put_item(self.tables.table_of(record), self._item(record), _if_version(before))

    def _unmoved(self, record: Record) -> Write:
        condition = _if_version(record.version)
        check: ConditionCheckTypeDef = {
            "TableName": self.tables.table_of(record),
            "Key": key_of(record),
            "ConditionExpression": condition.expression,
        }
        if condition.values:
            check["ExpressionAttributeValues"] = serialized(condition.values)
        return {"ConditionCheck": check}

    def _is_stored(self, record: Record) -> bool:
        item = self.database.get(self.tables.table_of(record), *record.key)
        return item is not None and serialized(item) == self._item(record)

    def _item(self, record: Record) -> Attributes:
        return item_of(record, agenda_shards=self.agenda.shards)


class Condition(NamedTuple):
    """What must be so where an item is written: DynamoDB's expression, and its values."""

    expression: str
    values: Mapping[str, object] | None = None


NEW = Condition("attribute_not_exists(pk)")


def _if_version(version: int) -> Condition:
    return Condition("version = :version", {":version": version}) if version else NEW


def put_item(table: str, item: Attributes, condition: Condition) -> Write:
    """Make the write of a whole item, provided that a condition holds."""
    put: PutTypeDef = {"TableName": table, "Item": item, "ConditionExpression": condition.expression}
    if condition.values:
        put["ExpressionAttributeValues"] = serialized(condition.values)
    return {"Put": put}
