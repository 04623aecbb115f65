"""The query parameters of a call, each named once and known."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from grant_broker.api.faults import field_name, invalid
from grant_broker.domain.errors import Fault, InvalidRequest
from grant_broker.domain.texts import fault_in

T = TypeVar("T")
Query = Mapping[str, str]
PAGED = ("limit", "cursor")
"""What every list takes."""


def read(event: Mapping[str, Any], allowed: Collection[str]) -> Query:
    """The parameters of a call; InvalidRequest that names each unknown, repeated or unfit one."""
    given: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    faults = [Fault(field_name(name), "no such parameter") for name in given if name not in allowed]
    faults += [Fault(field_name(name), "give it once") for name, values in given.items() if len(values) != 1]
    unfit = ((name, fault_in("".join(values))) for name, values in given.items())
    faults += [Fault(field_name(name), why) for name, why in unfit if why]
    if faults:
        raise invalid(faults)
    return {name: values[0] for name, values in given.items()}


def limit_of(query: Query) -> int:
    """The `limit` of a list: 1 to 100, or 50; InvalidRequest."""
    text = query.get("limit", "50")
    if not re.fullmatch(r"[1-9][0-9]?|100", text, re.ASCII):
        raise InvalidRequest(Fault("limit", "1 to 100"))
    return int(text)


def one_of(query: Query, name: str, values: Iterable[str]) -> str | None:
    """A parameter that must be one of some values, None where it is absent; InvalidRequest."""
    known = [str(value) for value in values]
    if name in query and query[name] not in known:
        raise InvalidRequest(Fault(name, f"one of {', '.join(known)}"))
    return query.get(name)


def matching(query: Query, name: str, check: Callable[[str], object]) -> str | None:
    """A parameter that a check accepts, None where it is absent; InvalidRequest."""
    if name in query and not check(query[name]):
        raise InvalidRequest(Fault(name, "not well formed"))
    return query.get(name)


def time_of(query: Query, name: str, parse: Callable[[object], T]) -> T | None:
    """A parameter that is a time, None where it is absent; InvalidRequest."""
    if name not in query:
        return None
    try:
        return parse(query[name])
    except ValueError as error:
        raise InvalidRequest(Fault(name, str(error))) from error
