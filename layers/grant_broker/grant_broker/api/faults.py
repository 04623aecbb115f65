"""What is wrong with a call, by the top-level field, in sentences that say what to send instead."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from grant_broker.domain.errors import MISSING, Fault, InvalidRequest
from grant_broker.domain.texts import fault_in

_LONGEST_FIELD = 64
_MOST_FAULTS = 100
# What may be shown again of what was sent instead of a list: a name or a number.
_ONE_WORD = re.compile(r"[A-Za-z0-9:_-]{1,64}")


def invalid(faults: Iterable[Fault]) -> InvalidRequest:
    """The error that names each fault once, the first hundred of them."""
    return InvalidRequest(*list(dict.fromkeys(faults))[:_MOST_FAULTS])


def faults_of(error: ValidationError) -> list[Fault]:
    """The faults that a model found, each in words of the API's own."""
    details = error.errors(include_url=False)
    # Of a list whose only entry is wrong, however deep, pydantic says as well that it is too short.
    with_wrong_entries = {
        detail["loc"][:depth] for detail in details for depth in range(1, len(detail["loc"]))
    }
    return [
        Fault(field_name(*detail["loc"]), _sentence(detail))
        for detail in details
        if detail["type"] != "too_short" or detail["loc"] not in with_wrong_entries
    ]


def field_name(*location: int | str) -> str:
    """The top-level field of a location; `body` where its name is the caller's own text and unfit to show."""
    name = str(location[0]) if location else ""
    return name if 0 < len(name) <= _LONGEST_FIELD and not fault_in(name) else "body"


def _sentence(detail: ErrorDetails) -> str:
    within = "in one of its entries: " if len(detail["loc"]) > 1 else ""
    return within + SENTENCES.get(detail["type"], _not_valid)(detail)


def _of_context(text: str) -> Callable[[ErrorDetails], str]:
    return lambda detail: text.format(**_context(detail))


def _context(detail: ErrorDetails) -> Mapping[str, Any]:
    return detail.get("ctx", {})


def _list(detail: ErrorDetails) -> str:
    given = detail["input"]
    example = given if isinstance(given, str) and _ONE_WORD.fullmatch(given) else "..."
    return f"give a list, in brackets: {json.dumps([example])}"


def _not_valid(_detail: ErrorDetails) -> str:
    return "not valid"


SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "missing": _of_context(MISSING),
    "extra_forbidden": _of_context("there is no such field"),
    "value_error": lambda detail: str(_context(detail)["error"]),
    "string_type": _of_context("give a text, in quotes"),
    "string_unicode": _of_context("give a text without lone surrogates"),
    "string_too_short": _of_context("give at least {min_length} characters"),
    "string_too_long": _of_context("give at most {max_length} characters"),
    "int_type": _of_context("give a whole number, without quotes"),
    "greater_than_equal": _of_context("give at least {ge}"),
    "less_than_equal": _of_context("give at most {le}"),
    "literal_error": _of_context("give {expected}: there is no choice yet"),
    "none_required": _of_context("give null: there is no choice yet"),
    "enum": _of_context("give one of {expected}"),
    "tuple_type": _list,
    "model_type": _of_context("give an object, in braces"),
    "dict_type": _of_context('give an object of names and texts, such as {{"tenant": "a"}}'),
    "too_short": _of_context("empty: give at least {min_length}"),
    "too_long": _of_context("give at most {max_length} entries"),
}
"""By pydantic's type of error; pydantic's own words reach nobody, since every other type is `not valid`."""
