"""Records in their tables: read by key, and written in transactions, one event with each transition."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from grant_broker.aws.adoptions import Adoptions
from grant_broker.aws.agenda import Agenda
from grant_broker.aws.attributes import Attributes, serialized
from grant_broker.aws.blocks import Blocks
from grant_broker.aws.counters import Counters
from grant_broker.aws.dynamodb import DynamoDb, Query, Write
from grant_broker.aws.glass import Glass
from grant_broker.aws.items import item_of, key_of, readable, record_of
from grant_broker.aws.leases import Leases
from grant_broker.aws.limits_versions import LimitsVersions
from grant_broker.aws.lists import Lists
from grant_broker.aws.places import Places
from grant_broker.aws.reviews import Reviews
from grant_broker.aws.tables import Tables
from grant_broker.aws.uses import Uses
from grant_broker.domain.accounts import Account
from grant_broker.domain.approvals import Approval
from grant_broker.domain.checks import Check, Function
from grant_broker.domain.errors import NotFound, Stale
from grant_broker.domain.keys import Key, Proposal
from grant_broker.domain.mass_revocations import MassRevocation, RevocationQueue
from grant_broker.domain.records import Change, Record
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.texts import is_id
from grant_broker.domain.trail import Event

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ConditionCheckTypeDef, PutTypeDef

Label = Literal["name", "key_id"]
R = TypeVar("R", bound=Record)


class Store:
    """Both tables. Reads by key are consistent; `find_…` gives None, `get_…` raises NotFound."""

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
        self.adoptions = Adoptions(self.tables)
        self.agenda = Agenda(self.tables, agenda_shards)
        self.blocks = Blocks(self.tables)
        self.counters = Counters(self.tables)
        self.leases = Leases(self.tables)
        self.lists = Lists(self.tables)
        self.places = Places(self.tables)
        self.limits_versions = LimitsVersions(self.tables)
        self.uses = Uses(self.tables)
        self.glass = Glass(self.tables)
        self.reviews = Reviews(self.tables)

    def find_request(self, request_id: str) -> GrantRequest | None:
        """Find a request."""
        return self._find(GrantRequest, f"request#{request_id}")

    def get_request(self, request_id: str, *, account: str | None = None) -> GrantRequest:
        """Get a request. One of another account than `account` is not found, in the same words."""
        request = self.find_request(request_id) if is_id(request_id) else None
        if request is None or account not in {None, request.account}:
            raise NotFound("there is no such request")
        return request

    def find_requests(self, ids: Collection[str]) -> list[GrantRequest]:
        """Find those of these requests that exist; one that cannot be read is told to the log."""
        keys = [(f"request#{name}", "request") for name in ids]
        items = self.database.get_many(self.tables.request_table, keys)
        return list(readable(GrantRequest, items))

    def find_all_votes(self, request_ids: Collection[str]) -> dict[str, Approval]:
        """Find the votes on each of these requests, by its id; where they cannot be read, the log is told."""
        keys = [(f"request#{name}", "approval") for name in request_ids]
        items = self.database.get_many(self.tables.approval_table, keys)
        return {votes.id: votes for votes in readable(Approval, items)}

    def find_votes(self, request_id: str) -> Approval | None:
        """Find the votes on one request."""
        return self._find(Approval, f"request#{request_id}")

    def find_approval(self, approval_id: str) -> Approval | None:
        """Find a standing approval."""
        return self._find(Approval, f"approval#{approval_id}")

    def get_approval(self, approval_id: str) -> Approval:
        """Get a standing approval."""
        approval = self.find_approval(approval_id) if is_id(approval_id) else None
        if approval is None:
            raise NotFound("there is no such approval")
        return approval

    def find_revocation(self, revocation_id: str) -> MassRevocation | None:
        """Find a mass revocation."""
        return self._find(MassRevocation, f"revocation#{revocation_id}")

    def get_revocation(self, revocation_id: str) -> MassRevocation:
        """Get a mass revocation."""
        revocation = self.find_revocation(revocation_id) if is_id(revocation_id) else None
        if revocation is None:
            raise NotFound("there is no such revocation")
        return revocation

    def get_revocation_queue(self) -> RevocationQueue:
        """Get the mass revocations whose jobs are not done; none at first."""
        empty = RevocationQueue()
        return self._find(RevocationQueue, empty.subject) or empty

    def find_key(self, key_arn: str) -> Key | None:
        """Find a key in the register, open or closed."""
        return self._find(Key, f"key#{key_arn}")

    def get_key(self, key_arn: str) -> Key:
        """Get a key in the register, open or closed."""
        key = self.find_key(key_arn)
        if key is None:
            raise NotFound("there is no such key")
        return key

    def find_account(self, account: str) -> Account | None:
        """Find what the security team says, or said, of an account."""
        return self._find(Account, f"account#{account}")

    def find_key_named(self, name: str) -> Key | None:
        """Find a key by its ARN, or by the name that it bears now."""
        key_arn = self.find_key_arn(name)
        return self.find_bearer(key_arn, name) if key_arn else None

    def find_key_arn(self, name: str) -> str | None:
        """Find the ARN of the key that bears, or bore last, a name; an ARN is its own."""
        return name if name.startswith("arn:") else self.find_label("name", name)

    def find_bearer(self, key_arn: str, name: str) -> Key | None:
        """Find a key if it bears a name, or if that is its ARN."""
        key = self.find_key(key_arn)
        # The last bearer may have been given another name since.
        return key if key and name in {key_arn, key.document.name} else None

    def find_label(self, label: Label, text: str) -> str | None:
        """Find the ARN of the key that bears, or bore last, a name or a key id."""
        item = self.database.get(self.tables.approval_table, f"{label}#{text}", label)
        return item["key_arn"] if item else None

    def find_proposal(self, like: Proposal) -> Proposal | None:
        """Find the votes so far for exactly this document."""
        return self._find_at(Proposal, like.key)

    def list_proposals(self, key: Key) -> list[Proposal]:
        """List the documents that some have voted for, those included that have come to nothing."""
        items = self.database.query(
            Query(
                table=self.tables.approval_table,
                condition="pk = :key AND begins_with(sk, :proposals)",
                values={":key": key.subject, ":proposals": "proposal#"},
                consistent=True,
            )
        )
        return [record_of(Proposal, item) for item in items]

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
        told = [_put(self.tables.table_of(event), item_of(event), _NEW) for event in events]
        unmoved = [self._unmoved(record) for record in checks]
        try:
            self.database.transact([*puts, *told, *unmoved, *others])
        except Stale:
            if not changes or not all(map(self._is_stored, last.values())):
                raise

    def put_label(self, label: Label, text: str, key_arn: str, *, borne_by: str | None) -> Write:
        """Make the write, for `commit`, that gives a label to a key, provided that `borne_by` bears it still.

        `borne_by` is None for a label that no key has borne.
        """
        item = serialized({"pk": f"{label}#{text}", "sk": label, "key_arn": key_arn})
        condition = _Condition("key_arn = :bearer", {":bearer": borne_by}) if borne_by else _NEW
        return _put(self.tables.approval_table, item, condition)

    def _find(self, model: type[R], subject: str) -> R | None:
        return self._find_at(model, (subject, model.SORT_KEY))

    def _find_at(self, model: type[R], key: tuple[str, str]) -> R | None:
        item = self.database.get(self.tables.table_of(model), *key)
        return record_of(model, item) if item else None

    def _put_record(self, record: Record, changes: Sequence[Change]) -> Write:
        """Put a record in the place of the version that the first of its changes was made on."""
        own = (c.record for c in changes if c.record.key == record.key)
        before = min(each.version for each in own) - 1
        return _put(self.tables.table_of(record), self._item(record), _if_version(before))

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


@dataclass(frozen=True)
class _Condition:
    expression: str
    values: Mapping[str, object] | None = None


_NEW = _Condition("attribute_not_exists(pk)")


def _if_version(version: int) -> _Condition:
    return _Condition("version = :version", {":version": version}) if version else _NEW


def _put(table: str, item: Attributes, condition: _Condition) -> Write:
    put: PutTypeDef = {"TableName": table, "Item": item, "ConditionExpression": condition.expression}
    if condition.values:
        put["ExpressionAttributeValues"] = serialized(condition.values)
    return {"Put": put}
