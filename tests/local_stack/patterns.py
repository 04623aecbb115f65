"""Event patterns as EventBridge and Lambda's stream filters read them; ValueError for an unknown operator."""

from collections.abc import Callable, Mapping
from typing import Any

_MISSING = object()


def matches(pattern: Mapping[str, Any], event: object) -> bool:
    """Whether an event has, for each name of the pattern, one of the listed values."""
    return all(
        any(matches(each, event) for each in wanted)
        if name == "$or"
        else _matched(wanted, _part(event, name))
        for name, wanted in pattern.items()
    )


def _part(event: object, name: str) -> object:
    return event.get(name, _MISSING) if isinstance(event, Mapping) else _MISSING


def _matched(wanted: Any, value: object) -> bool:
    if isinstance(wanted, Mapping):
        return matches(wanted, value)
    values = value if isinstance(value, list) else [value]
    return any(_one(rule, each) for rule in wanted for each in values)


def _one(rule: Any, value: object) -> bool:
    if not isinstance(rule, Mapping):
        return type(rule) is type(value) and bool(rule == value)
    (operator, argument), *more = rule.items()
    if more:
        raise ValueError(f"one operator a rule, not {rule}")
    if operator == "exists":
        return (value is not _MISSING) is argument
    if operator == "anything-but":
        # A field that is missing is not anything: such an event does not match.
        refused = argument if isinstance(argument, list) else [argument]
        return value is not _MISSING and not any(_one(each, value) for each in refused)
    if operator not in _OF_TEXTS:
        raise ValueError(f"no such operator here: {operator}")
    return isinstance(value, str) and _OF_TEXTS[operator](value, str(argument))


_OF_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": lambda value, argument: value.lower() == argument.lower(),
}
