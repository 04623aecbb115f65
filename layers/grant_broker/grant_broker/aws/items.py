"""Records as DynamoDB items. Each record names its table, its keys, and what indexes need of it."""

import logging
from collections.abc import Iterable, Iterator
from typing import TypeVar

from grant_broker.aws.attributes import Attributes, Item, serialized
from grant_broker.domain.stored import Stored

_LOG = logging.getLogger(__name__)

S = TypeVar("S", bound=Stored)


def key_of(record: Stored) -> Attributes:
    """The primary key of a record, serialized."""
    pk, sk = record.key
    return serialized({"pk": pk, "sk": sk})


def item_of(record: Stored, *, agenda_shards: int = 1) -> Attributes:
    """The whole item of a record or an event; an entry of the agenda is in one of so many shards."""
    indexed = {**record.indexed, "agenda": record.agenda(agenda_shards)}
    return {**serialized({**record.model_dump(mode="json"), **indexed}), **key_of(record)}


def record_of(model: type[S], item: Item) -> S:
    """The record in an item of plain values; what only the indexes need is left out.

    ValueError where it cannot be read, or says that it belongs elsewhere: to write it would write another.
    """
    # None is stored as absence.
    absent = {name: None for name, field in model.model_fields.items() if field.is_required()}
    record = model.model_validate({**absent, **item})
    partition, _ = record.key
    if item.get("pk", partition) != partition:
        raise ValueError("the item holds the record of another partition")
    return record


def readable(model: type[S], items: Iterable[Item]) -> Iterator[S]:
    """The records in items. One that cannot be read is logged, and hides no other."""
    for item in items:
        try:
            yield record_of(model, item)
        except ValueError:
            _LOG.exception("a record cannot be read", extra={"pk": item["pk"], "sk": item["sk"]})
