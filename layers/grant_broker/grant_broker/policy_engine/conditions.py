"""One condition of a statement: operator, key and values, compiled once, asked for many calls."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from grant_broker.policy_engine.comparisons import OPERATORS, Comparison, Listed, all_of, any_of
from grant_broker.policy_engine.condition_keys import known
from grant_broker.policy_engine.templates import Context

_IF_EXISTS = "ifexists"
_QUANTIFIERS: dict[str, Callable[[list[bool | None]], bool | None]] = {
    "forallvalues": all_of,
    "foranyvalue": any_of,
}
_Test = Callable[[str | tuple[str, ...] | None, Context], bool | None]


class Condition(NamedTuple):
    """Whether one key of the call meets one operator. `label` names it where it is not understood."""

    key: str
    label: str
    test: _Test

    def holds(self, context: Context) -> bool | None:
        """Whether the call meets it; None where that cannot be told."""
        return self.test(context.get(self.key), context)


def normalise(context: Mapping[str, object]) -> dict[str, str | tuple[str, ...]]:
    """The context with names in lower case and values as IAM's texts; empty lists are absent keys.

    Names that differ only by case make one multi-valued key, which no single-valued operator takes.
    """
    normal: dict[str, str | tuple[str, ...]] = {}
    for name, value in context.items():
        key = name.lower()
        texts = tuple(text_of(each) for each in value) if isinstance(value, list | tuple) else text_of(value)
        if key in normal:
            texts = (*_values(normal[key]), *_values(texts))
        if texts != ():
            normal[key] = texts
    return normal


def text_of(value: object) -> str:
    """A JSON string, number or boolean as IAM compares it. ValueError for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"a condition value must be a string, a number or a boolean, not {value!r}")


def condition(operator: str, key: str, texts: Sequence[str], *, variables: bool) -> Condition:
    """Compile one operator and key of a Condition block; what is not understood compiles to "not known"."""
    lower = key.lower()
    quantifier, _, base = operator.lower().rpartition(":")
    if base == "null" and not quantifier:
        return Condition(lower, _label(operator, key), _recognised(lower, _null(texts)))
    name, if_exists = base.removesuffix(_IF_EXISTS), base.endswith(_IF_EXISTS)
    if name not in OPERATORS or (quantifier and quantifier not in _QUANTIFIERS):
        return Condition(lower, operator, lambda _actual, _context: None)
    negated = OPERATORS[name].negated
    compare = OPERATORS[name].build(Listed(tuple(texts), variables=variables, negated=negated))
    absent = if_exists or (quantifier == "forallvalues" if quantifier else negated)
    test = _comparing(compare, quantifier, negated=negated, absent=absent)
    return Condition(lower, _label(operator, key), _recognised(lower, test))


def understood(operator: str, key: str) -> bool:
    """Whether a condition's operator and key are known here; what is not never widens access."""
    quantifier, _, base = operator.lower().rpartition(":")
    name = base.removesuffix(_IF_EXISTS)
    by_operator = name in OPERATORS and (not quantifier or quantifier in _QUANTIFIERS)
    return known(key.lower()) and (by_operator or (base == "null" and not quantifier))


def _label(operator: str, key: str) -> str:
    return f"{operator} {key}" if known(key.lower()) else key


def _recognised(key: str, test: _Test) -> _Test:
    if known(key):
        return test
    return lambda actual, context: None if actual is None else test(actual, context)


def _null(texts: Sequence[str]) -> _Test:
    def test(actual: str | tuple[str, ...] | None, _context: Context) -> bool | None:
        wanted = "true" if actual is None else "false"
        outcomes = {"true": wanted == "true", "false": wanted == "false"}
        return any_of(outcomes.get(text.lower()) for text in texts)

    return test


def _comparing(compare: Comparison, quantifier: str, *, negated: bool, absent: bool) -> _Test:
    def one(actual: str, context: Context) -> bool | None:
        outcome = compare(actual, context)
        return outcome if outcome is None else outcome != negated

    def test(actual: str | tuple[str, ...] | None, context: Context) -> bool | None:
        if actual is None:
            return absent
        if quantifier:
            return _QUANTIFIERS[quantifier]([one(each, context) for each in _values(actual)])
        # IAM documents no comparison of several values without a set operator.
        return one(actual, context) if isinstance(actual, str) else None

    return test


def _values(texts: str | tuple[str, ...]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else texts
