"""DynamoDB's condition, key condition and update expressions, as far as the broker uses them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Item = dict[str, Any]
_TOKEN = re.compile(r"\s*(:\w+|#\w+|[A-Za-z_][\w.]*|<=|>=|<>|[=<>(),+-])")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


class UnknownHereError(Exception):
    """DynamoDB knows it, the fast one does not: for whoever writes a test.

    It is no ValueError: the broker takes those for records that cannot be read, and would go on.
    """


@dataclass(frozen=True)
class Scope:
    """What an expression is evaluated on: an item, and the names and values that the call gives."""

    item: Item
    names: dict[str, str] = field(default_factory=dict)
    values: Item = field(default_factory=dict)

    def value(self, operand: str) -> dict[str, Any] | None:
        """The typed value of an operand, None for a missing attribute."""
        if operand.startswith(":"):
            found: dict[str, Any] = self.values[operand]
            return found
        return self.item.get(self.names[operand] if operand.startswith("#") else operand)


Test = Callable[[Scope], bool]


@cache
def condition(text: str) -> Test:
    """The test that a condition or key condition expression stands for."""
    tokens = _Tokens(text)
    found = _either(tokens)
    if tokens.left:
        raise UnknownHereError(text)
    return found


class _Tokens:
    def __init__(self, text: str) -> None:
        self.left = [match[1] for match in _TOKEN.finditer(text)]
        if "".join(self.left) != re.sub(r"\s", "", text):
            raise UnknownHereError(text)

    def next(self) -> str:
        return self.left.pop(0)

    def took(self, *words: str) -> str | None:
        return self.next() if self.left and self.left[0].upper() in words else None

    def expect(self, word: str) -> None:
        if self.next().upper() != word:
            raise UnknownHereError(word)


def _either(tokens: _Tokens) -> Test:
    parts = [_both(tokens)]
    while tokens.took("OR"):
        parts.append(_both(tokens))
    return parts[0] if len(parts) == 1 else lambda scope: any(part(scope) for part in parts)


def _both(tokens: _Tokens) -> Test:
    parts = [_one(tokens)]
    while tokens.took("AND"):
        parts.append(_one(tokens))
    return parts[0] if len(parts) == 1 else lambda scope: all(part(scope) for part in parts)


def _one(tokens: _Tokens) -> Test:
    if tokens.took("NOT"):
        inner = _one(tokens)
        return lambda scope: not inner(scope)
    if tokens.took("("):
        inner = _either(tokens)
        tokens.expect(")")
        return inner
    word = tokens.next()
    return _function(word, tokens) if tokens.took("(") else _comparison(word, tokens)


def _function(name: str, tokens: _Tokens) -> Test:
    arguments = [tokens.next()]
    while tokens.took(","):
        arguments.append(tokens.next())
    tokens.expect(")")
    match name, arguments:
        case "attribute_exists", [path]:
            return lambda scope: scope.value(path) is not None
        case "attribute_not_exists", [path]:
            return lambda scope: scope.value(path) is None
        case "begins_with", [path, prefix]:
            return lambda scope: _begins(scope.value(path), scope.value(prefix))
    raise UnknownHereError(name)


def _begins(value: dict[str, Any] | None, prefix: dict[str, Any] | None) -> bool:
    return bool(value and prefix and value.get("S", "").startswith(prefix["S"]))


def _comparison(left: str, tokens: _Tokens) -> Test:
    operator = tokens.next()
    if operator.upper() == "BETWEEN":
        low = tokens.next()
        tokens.expect("AND")
        high = tokens.next()
        return lambda scope: _holds(">=", left, low, scope) and _holds("<=", left, high, scope)
    right = tokens.next()
    if operator == "<>":
        return lambda scope: not _holds("=", left, right, scope)
    return lambda scope: _holds(operator, left, right, scope)


def _holds(operator: str, left: str, right: str, scope: Scope) -> bool:
    first, second = scope.value(left), scope.value(right)
    if first is None or second is None or first.keys() != second.keys():
        return False
    return _COMPARE[operator](comparable(first), comparable(second))


def comparable(value: dict[str, Any]) -> Any:
    """A typed value as DynamoDB orders it: numbers by size, text by its bytes."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(content)
        case "S":
            return content.encode()
    return content


def updated(text: str, scope: Scope) -> Item:
    """The item after an update expression."""
    item, clause = dict(scope.item), ""
    for word, tokens in _assignments(text):
        clause = word or clause
        name = tokens.next()
        path = scope.names[name] if name.startswith("#") else name
        if clause == "REMOVE":
            item.pop(path, None)
            continue
        if clause == "SET":
            tokens.expect("=")
        base = item.get(path, {"N": "0"}) if clause == "ADD" else None
        value = _sum(tokens, scope)
        item[path] = value if base is None else {"N": str(int(base["N"]) + int(value["N"]))}
    return item


def _assignments(text: str) -> Iterator[tuple[str, _Tokens]]:
    tokens = _Tokens(text)
    while tokens.left:
        word = tokens.took("SET", "REMOVE", "ADD") or ""
        yield word.upper(), tokens
        tokens.took(",")


def _sum(tokens: _Tokens, scope: Scope) -> dict[str, Any]:
    total = _term(tokens, scope)
    while sign := tokens.took("+", "-"):
        part = int(_term(tokens, scope)["N"])
        total = {"N": str(int(total["N"]) + (part if sign == "+" else -part))}
    return total


def _term(tokens: _Tokens, scope: Scope) -> dict[str, Any]:
    word = tokens.next()
    if word != "if_not_exists":
        value = scope.value(word)
        if value is None:
            raise UnknownHereError(f"no {word}")
        return value
    tokens.expect("(")
    path = tokens.next()
    tokens.expect(",")
    other = _term(tokens, scope)
    tokens.expect(")")
    return scope.value(path) or other
