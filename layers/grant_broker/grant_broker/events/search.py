"""Find requests by what they are about, whether they are in the tables still or in the archive."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import TypedDict

from grant_broker.aws.attributes import Item
from grant_broker.aws.dynamodb import Query
from grant_broker.aws.store import Store
from grant_broker.domain.stored import listed_from
from grant_broker.domain.times import LATEST
from grant_broker.domain.tombstones import KIND

_ABOUT = (
    "account",
    "key_arn",
    "requester_arn",
    "requester_person",
    "grantee",
    "status",
    "created_at",
    "ended_at",
)


class Found(TypedDict):
    """A request. Times are RFC 3339; `object_key` is where in the archive it is, null while in the tables."""

    request: str
    account: str
    key_arn: str
    requester_arn: str
    requester_person: str
    grantee: str
    status: str
    created_at: str
    ended_at: str | None
    object_key: str | None


@dataclass(frozen=True)
class HistorySearch:
    """What is looked for; None leaves a part open. Times are of the submission, `until` not included.

    A key is named by its ARN or its id. A person is whoever asked, by ARN or by unique id and session name,
    or the grantee.
    """

    request: str | None = None
    key: str | None = None
    account: str | None = None
    person: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def accepts(self, found: Found) -> bool:
        """Whether a request is looked for, its time aside."""
        persons = {found["requester_arn"], found["requester_person"], found["grantee"]}
        return (
            self.request in {None, found["request"]}
            and self.account in {None, found["account"]}
            and self.key in {None, found["key_arn"], found["key_arn"].rpartition("/")[2]}
            and (self.person is None or self.person in persons)
        )


def find_history(store: Store, search: HistorySearch) -> Iterator[Found]:
    """Find requests, oldest submission first; from an index, so that it may be a second behind."""
    names = {f"#{name}": name for name in _ABOUT}
    in_tables = _query(store, search, "request", ", ".join(["pk", "listed_at", *names]), names)
    archived = _query(store, search, KIND, "pk, listed_at, about, object_key", None)
    items = (store.database.query(each) for each in (in_tables, archived))
    for item in merge(*items, key=lambda item: str(item["listed_at"])):
        found = _found(item)
        if search.accepts(found):
            yield found


def _query(
    store: Store, search: HistorySearch, kind: str, projection: str, names: dict[str, str] | None
) -> Query:
    since = listed_from(search.since) if search.since else "0"
    return Query(
        table=store.tables.request_table,
        index="by_kind",
        condition="kind = :kind AND listed_at BETWEEN :since AND :until",
        # An entry goes on after its time, so that one of `until` itself stands behind it.
        values={":kind": kind, ":since": since, ":until": listed_from(search.until or LATEST)},
        projection=projection,
        names=names,
    )


def _found(item: Item) -> Found:
    about = item.get("about", item)
    texts = {name: str(about.get(name, "")) for name in _ABOUT}
    return Found(
        request=str(item["pk"]).removeprefix("request#"),
        account=texts["account"],
        key_arn=texts["key_arn"],
        requester_arn=texts["requester_arn"],
        requester_person=texts["requester_person"],
        grantee=texts["grantee"],
        status=texts["status"],
        created_at=texts["created_at"],
        ended_at=about.get("ended_at"),
        object_key=item.get("object_key"),
    )
