"""IAM's condition operators: how one value of the call compares with the values that a policy lists.

Three-valued: None means that a value could not be read, so that neither answer is safe.
"""

import operator as order
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from grant_broker.policy_engine import values
from grant_broker.policy_engine.templates import Context, UnresolvedVariable, arn_glob, glob, parse, plain

Comparison = Callable[[str, Context], bool | None]
Builder = Callable[["Listed"], Comparison]
_ARN_COLONS = 5


class Listed(NamedTuple):
    """The values that a policy lists for one key, and how the operator takes them."""

    texts: tuple[str, ...]
    variables: bool
    negated: bool


class Operator(NamedTuple):
    """A base operator; a negated one is the other's answer turned round."""

    build: Builder
    negated: bool = False


def any_of(outcomes: Iterable[bool | None]) -> bool | None:
    """True if one is, else None if one is not known."""
    known = True
    for outcome in outcomes:
        if outcome:
            return True
        known = known and outcome is not None
    return False if known else None


def all_of(outcomes: Iterable[bool | None]) -> bool | None:
    """False if one is, else None if one is not known."""
    turned = any_of(None if outcome is None else not outcome for outcome in outcomes)
    return None if turned is None else not turned


def _texts(test_of: Callable[[str, bool], Comparison]) -> Builder:
    """Compare with texts, which may hold variables.

    A text whose variable has no value matches nothing, whatever the effect. Turned round by a negated
    operator that would widen an Allow, so there the outcome is not known.
    """

    def build(listed: Listed) -> Comparison:
        tests = [test_of(text, listed.variables) for text in listed.texts]
        unresolved = None if listed.negated else False

        def compare(actual: str, context: Context) -> bool | None:
            outcome: bool | None = False
            for test in tests:
                try:
                    one = test(actual, context)
                except UnresolvedVariable:
                    one = unresolved
                if one:
                    return True
                outcome = None if one is None else outcome
            return outcome

        return compare

    return build


def _exact(fold: Callable[[str], str]) -> Callable[[str, bool], Comparison]:
    def test_of(text: str, variables: bool) -> Comparison:  # noqa: FBT001 - as the policy's version has it
        template = parse(text, variables=variables)
        if template.constant:
            wanted = fold(plain(template.render({})))
            return lambda actual, _context: fold(actual) == wanted
        return lambda actual, context: fold(actual) == fold(plain(template.render(context)))

    return test_of


def _like(text: str, variables: bool) -> Comparison:  # noqa: FBT001 - as the policy's version has it
    template = parse(text, variables=variables)
    if template.constant:
        pattern = glob(template.render({}))
        return lambda actual, _context: pattern.fullmatch(actual) is not None
    return lambda actual, context: glob(template.render(context)).fullmatch(actual) is not None


def _arn(text: str, variables: bool) -> Comparison:  # noqa: FBT001 - as the policy's version has it
    components = parse(text, variables=variables).components()

    def test(actual: str, context: Context) -> bool | None:
        if components is None or actual.count(":") < _ARN_COLONS:
            return None
        wanted = tuple(component.render(context) for component in components)
        # A value with a colon would move what follows into the next component.
        if any(":" in plain(component) for component in wanted[:-1]):
            return False
        return arn_glob(wanted).fullmatch(actual) is not None

    return test


def _bool(text: str, variables: bool) -> Comparison:  # noqa: FBT001 - as the policy's version has it
    template = parse(text, variables=variables)

    def test(actual: str, context: Context) -> bool | None:
        wanted, value = _read(values.boolean, plain(template.render(context))), _read(values.boolean, actual)
        return None if None in (wanted, value) else wanted == value

    return test


def _typed(read: Callable[[str], Any], test: Callable[[Any, Any], bool]) -> Builder:
    """Compare typed values, in which IAM replaces no variables."""

    # The statements of a policy ask about the same few values of a call again and again.
    @lru_cache(maxsize=1024)
    def remembered(text: str) -> Any:  # noqa: ANN401 - as typed as `read`
        return _read(read, text)

    def build(listed: Listed) -> Comparison:
        wanted = [remembered(text) for text in listed.texts]

        def compare(actual: str, _context: Context) -> bool | None:
            value = remembered(actual)
            return any_of(None if value is None or each is None else test(value, each) for each in wanted)

        return compare

    return build


def _read(read: Callable[[str], Any], text: str) -> Any:  # noqa: ANN401 - as typed as `read`
    try:
        return read(text)
    except ValueError:
        return None


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": order.eq,
    "lessthan": order.lt,
    "lessthanequals": order.le,
    "greaterthan": order.gt,
    "greaterthanequals": order.ge,
}
_EQUALS, _IGNORE_CASE, _LIKE, _ARN = (
    _texts(_exact(str)),
    _texts(_exact(str.lower)),
    _texts(_like),
    _texts(_arn),
)
_IP = _typed(values.network, values.Network.within)

OPERATORS: dict[str, Operator] = {
    "stringequals": Operator(_EQUALS),
    "stringnotequals": Operator(_EQUALS, negated=True),
    "stringequalsignorecase": Operator(_IGNORE_CASE),
    "stringnotequalsignorecase": Operator(_IGNORE_CASE, negated=True),
    "stringlike": Operator(_LIKE),
    "stringnotlike": Operator(_LIKE, negated=True),
    "bool": Operator(_texts(_bool)),
    "binaryequals": Operator(_typed(values.binary, order.eq)),
    "ipaddress": Operator(_IP),
    "notipaddress": Operator(_IP, negated=True),
    # IAM compares ArnEquals like ArnLike.
    "arnequals": Operator(_ARN),
    "arnlike": Operator(_ARN),
    "arnnotequals": Operator(_ARN, negated=True),
    "arnnotlike": Operator(_ARN, negated=True),
    **{f"numeric{name}": Operator(_typed(values.number, test)) for name, test in _ORDERS.items()},
    "numericnotequals": Operator(_typed(values.number, order.eq), negated=True),
    **{f"date{name}": Operator(_typed(values.date, test)) for name, test in _ORDERS.items()},
    "datenotequals": Operator(_typed(values.date, order.eq), negated=True),
}
"""By name in lower case; `Null` is no comparison and stands in `conditions`."""
