"""What is wrong with a call, by the top-level field, in words that are fit to be shown."""

from collections.abc import Iterable

from pydantic import ValidationError

from grant_broker.domain.errors import Fault, InvalidRequest
from grant_broker.domain.texts import fault_in

_LONGEST_FIELD = 64
_MOST_FAULTS = 100


def invalid(faults: Iterable[Fault]) -> InvalidRequest:
    """The error that names each fault once, the first hundred of them."""
    return InvalidRequest(*list(dict.fromkeys(faults))[:_MOST_FAULTS])


def faults_of(error: ValidationError) -> list[Fault]:
    """The faults that a model found."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        Fault(field_name(*detail["loc"]), detail["msg"].removeprefix("Value error, ")) for detail in details
    ]


def field_name(*location: int | str) -> str:
    """The top-level field of a location; `body` where its name is the caller's own text and unfit to show."""
    name = str(location[0]) if location else ""
    return name if 0 < len(name) <= _LONGEST_FIELD and not fault_in(name) else "body"
