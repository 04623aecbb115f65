"""The request table and the approval table: conditional, transactional, one event with each transition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.items import AGENDA, R, holder_of, holding_of, item_of, key_of, record_of, serialized
from grant_broker.domain.approvals import Approval
from grant_broker.domain.checks import Check, Function
from grant_broker.domain.continuity import Holding
from grant_broker.domain.errors import Stale
from grant_broker.domain.keys import Key, Proposal
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.records import Change, Record
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.trail import Event

_COUNTER_MINUTES = 60
"""How long a counter is kept: DynamoDB's TTL may take two days more, which costs bytes and nothing else."""


@dataclass(frozen=True)
class Due:
    """An entry of the agenda, read without its record, so that a record that cannot be read hides no other.

    `id` is the request's, None where the item is no request at all. `due` is in epoch seconds.
    """

    id: str | None
    action: str
    due: int
    key: tuple[str, str]


class Store:
    """Both tables. A function whose role may not use one of them is never made to."""

    def __init__(self, database: DynamoDb, *, request_table: str, approval_table: str | None = None) -> None:
        self.database = database
        self.request_table = request_table
        self._approval_table = approval_table

    @property
    def approval_table(self) -> str:
        """The approval table's name; LookupError in a function that was told none."""
        if self._approval_table is None:
            raise LookupError("this function works without the approval table")
        return self._approval_table

    @property
    def has_approval_table(self) -> bool:
        """Whether the approval table was named."""
        return self._approval_table is not None

    def request(self, request_id: str) -> GrantRequest | None:
        """The request, read consistently."""
        return self._record(GrantRequest, self.request_table, f"request#{request_id}", "request")

    def votes(self, request_id: str) -> Approval | None:
        """The decisions on one request, read consistently."""
        return self._record(Approval, self.approval_table, f"request#{request_id}", "approval")

    def approval(self, approval_id: str) -> Approval | None:
        """The standing approval, read consistently."""
        return self._record(Approval, self.approval_table, f"approval#{approval_id}", "approval")

    def key(self, key_arn: str) -> Key | None:
        """The managed key, read consistently."""
        return self._record(Key, self.approval_table, f"key#{key_arn}", "key")

    def proposal(self, like: Proposal) -> Proposal | None:
        """The votes so far for exactly this document."""
        sort = f"proposal#{like.document.digest}"
        return self._record(Proposal, self.approval_table, like.subject, sort)

    def holder_of(self, kind: str, label: str) -> str | None:
        """The ARN of the key that holds, or last held, a `name` or a `key_id`, read consistently."""
        item = self.database.get(self.approval_table, f"{kind}#{label}", kind)
        return item["key_arn"] if item else None

    def standing(self, *, key_arn: str, account: str) -> Iterator[Approval]:
        """Standing approvals for an account on a key, newest first; eventually consistent."""
        items = self.database.query(
            TableName=self.approval_table,
            IndexName="covering",
            condition="covering = :covering",
            values={":covering": f"{key_arn}#{account}"},
            ScanIndexForward=False,
        )
        return (record_of(Approval, item) for item in items)

    def due(self, until: int, *, limit: int | None = None) -> Iterator[Due]:
        """What is on the agenda up to an epoch second, earliest first; eventually consistent.

        `limit` is how many are read at a time.
        """
        items = self.database.query(
            TableName=self.request_table,
            IndexName="agenda",
            condition="agenda = :agenda AND due <= :until",
            values={":agenda": AGENDA, ":until": until},
            ProjectionExpression="pk, sk, due, #action",
            ExpressionAttributeNames={"#action": "action"},
            Limit=limit,
        )
        return (_due(item) for item in items)

    def put_off(self, entry: Due, until: int) -> None:
        """Move an entry whose record cannot be used to a later second; Stale where it left the agenda."""
        pk, sk = entry.key
        self.database.update(
            self.request_table,
            pk,
            sk,
            UpdateExpression="SET due = :until",
            ConditionExpression="attribute_exists(agenda)",
            values={":until": until},
        )

    def take_turns(self, kind: str, second: int, count: int) -> int:
        """Take turns of one kind in an epoch second; how many are taken by then, by everybody together."""
        item = self.database.update(
            self.request_table,
            f"rate#{kind}#{second}",
            "limit",
            UpdateExpression="ADD turns :count SET expires = :expires",
            values={":count": count, ":expires": second + _COUNTER_MINUTES * 60},
        )
        return int(item["turns"])

    def open_requests(self, account: str, *, limit: int) -> Iterator[dict[str, Any]]:
        """Grantee, status and due of an account's requests that are not final; eventually consistent."""
        items = self.database.query(
            TableName=self.request_table,
            IndexName="open",
            condition="open_account = :account",
            values={":account": account},
            Limit=limit,
        )
        return islice(items, limit)

    def held(self, *, key_arn: str, grantee: str, since: datetime, most: int) -> list[Holding]:
        """The grants that a grantee has or had on a key, by plan until after `since`; eventually consistent.

        Not more than `most`, those that last longest first.
        """
        items = self.database.query(
            TableName=self.request_table,
            IndexName="held",
            condition="holder = :holder AND held_until > :since",
            values={":holder": holder_of(key_arn, grantee), ":since": int(since.timestamp())},
            ScanIndexForward=False,
        )
        return [holding_of(item) for item in islice(items, most)]

    def count_call(self, account: str, *, minute: int, most: int) -> None:
        """Count one call of an account in a minute since 1970; Stale where there were `most` already."""
        self.database.update(
            self.request_table,
            f"limit#{account}#{minute}",
            "limit",
            UpdateExpression="ADD calls :one SET expires = :expires",
            ConditionExpression="attribute_not_exists(calls) OR calls < :most",
            values={":one": 1, ":most": most, ":expires": (minute + _COUNTER_MINUTES) * 60},
        )

    def check(self, function: Function, key_arn: str) -> Check | None:
        """The last check of one function on a key, read consistently."""
        return self._record(Check, self.request_table, f"check#{function}#{key_arn}", "check")

    def checks_due(self, function: Function, until: int) -> Iterator[Check]:
        """The checks that one function has to make by an epoch second; eventually consistent."""
        items = self.database.query(
            TableName=self.request_table,
            IndexName="agenda",
            condition="agenda = :agenda AND due <= :until",
            values={":agenda": f"check#{function}", ":until": until},
        )
        return (record_of(Check, item) for item in items)

    def trail(self, subject: str) -> list[Event]:
        """The events of one subject in order, read consistently."""
        items = self.database.query(
            TableName=self.request_table,
            condition="pk = :subject AND begins_with(sk, :events)",
            values={":subject": subject, ":events": "event#"},
            ConsistentRead=True,
        )
        return [record_of(Event, item) for item in items]

    def commit(
        self, *changes: Change, checks: Sequence[Record] = (), others: Sequence[dict[str, Any]] = ()
    ) -> None:
        """Write all changes with their events, or none, provided that no record in them or in `checks` moved.

        Raises Stale where another writer was first, Unavailable where DynamoDB did not say. After a lost
        answer a repeat finds its own write: if what is stored is what was to be written, it has happened.
        """
        puts = [put for change in changes for put in self._puts(change)]
        unmoved = [self._unmoved(record) for record in checks]
        try:
            self.database.transact([*puts, *unmoved, *others])
        except Stale:
            if not changes or not all(self._stored(change.record) for change in changes):
                raise

    def hold(self, kind: str, label: str, key_arn: str, *, held_by: str | None) -> dict[str, Any]:
        """For `commit`: the label is this key's, provided that it is free or held by `held_by` still."""
        item = serialized({"pk": f"{kind}#{label}", "sk": kind, "key_arn": key_arn})
        put: dict[str, Any] = {"TableName": self.approval_table, "Item": item}
        if held_by is None:
            return {"Put": {**put, "ConditionExpression": "attribute_not_exists(pk)"}}
        values = serialized({":holder": held_by})
        return {
            "Put": {**put, "ConditionExpression": "key_arn = :holder", "ExpressionAttributeValues": values}
        }

    def covered_by(self, approval_id: str, status: Status) -> Iterator[str]:
        """The ids of requests in one status that a standing approval covered; eventually consistent."""
        items = self.database.query(
            TableName=self.request_table,
            IndexName="by_status",
            condition="#status = :status",
            values={":status": str(status), ":approval": approval_id},
            FilterExpression="approval = :approval",
            ProjectionExpression="id",
            ExpressionAttributeNames={"#status": "status"},
        )
        return (str(item["id"]) for item in items)

    def _record(self, model: type[R], table: str, pk: str, sk: str) -> R | None:
        item = self.database.get(table, pk, sk)
        return record_of(model, item) if item else None

    def table_of(self, record: Record | Event) -> str:
        """The name of the table that a record lives in."""
        return self.request_table if isinstance(record, GrantRequest | Event | Check) else self.approval_table

    def _puts(self, change: Change) -> Iterator[dict[str, Any]]:
        yield self._put(change.record, self._version_is(change.record.version - 1))
        if change.event:
            yield self._put(change.event, self._version_is(0))

    def _put(self, record: Record | Event, condition: dict[str, Any]) -> dict[str, Any]:
        return {"Put": {"TableName": self.table_of(record), "Item": item_of(record), **condition}}

    def _unmoved(self, record: Record) -> dict[str, Any]:
        condition = self._version_is(record.version)
        return {"ConditionCheck": {"TableName": self.table_of(record), "Key": key_of(record), **condition}}

    @staticmethod
    def _version_is(version: int) -> dict[str, Any]:
        if version == 0:
            return {"ConditionExpression": "attribute_not_exists(pk)"}
        values = serialized({":version": version})
        return {"ConditionExpression": "version = :version", "ExpressionAttributeValues": values}

    def _stored(self, record: Record) -> bool:
        key = key_of(record)
        item = self.database.get(self.table_of(record), key["pk"]["S"], key["sk"]["S"])
        return item is not None and serialized(item) == item_of(record)


def _due(item: dict[str, Any]) -> Due:
    pk, sk = str(item["pk"]), str(item["sk"])
    request = pk.removeprefix("request#") if pk.startswith("request#") and sk == "request" else None
    return Due(request, str(item.get("action")), int(item["due"]), (pk, sk))
