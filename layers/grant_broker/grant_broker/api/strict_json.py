"""JSON as the API takes it: no name twice, no NaN, nothing too deep, no text that could mislead."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from grant_broker.domain.texts import fault_in

DEEPEST = 20


class Object(dict[str, Any]):
    """A JSON object that knows which of its names were given more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]


def loads(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text, its objects as Object; ValueError where it is none."""
    try:
        return json.loads(text, object_pairs_hook=Object, parse_constant=_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def faults(value: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Faults that no model sees (a name given twice) or might not look for, with the top-level field."""
    if depth > DEEPEST:
        yield path, "nested too deeply"
    elif isinstance(value, str):
        if fault := fault_in(value):
            yield path, fault
    elif isinstance(value, Object):
        yield from ((path or name, "named twice") for name in value.twice)
        for name, part in value.items():
            if fault := fault_in(name):
                yield path, fault
            yield from faults(part, path or name, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from faults(part, path, depth + 1)


def _constant(_name: str) -> NoReturn:
    raise ValueError("not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError("too large")
    return number
