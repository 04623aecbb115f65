"""Policy texts with wildcards and policy variables, and matching them in linear time."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

Context = Mapping[str, str | tuple[str, ...]]

_ARN_COMPONENTS = 6
_WILDCARD = re.compile(r"[*?]")
_SPECIAL = re.compile(r"\$\{([^}]*)\}|[*?]")
_DEFAULTED = re.compile(r"([^,]*?)\s*,\s*'([^']*)'")


class UnresolvedVariable(LookupError):  # noqa: N818 - says what happened
    """A policy variable without a value in this call."""


class Wildcard(Enum):
    """Not a string, so that a wildcard never equals the same character meant literally."""

    MANY = "*"
    ONE = "?"


class Variable(NamedTuple):
    """`${key}` or `${key, 'default'}`; names of keys ignore case."""

    key: str
    default: str | None = None


Token = str | Wildcard | Variable
Rendered = tuple[str | Wildcard, ...]


class Template(NamedTuple):
    """A text of a policy, taken apart once."""

    tokens: tuple[Token, ...]

    @property
    def constant(self) -> bool:
        """Whether the text is the same for every call."""
        return not any(isinstance(token, Variable) for token in self.tokens)

    def render(self, context: Context) -> Rendered:
        """The text for this call. A value put in is literal: a tag `*` is no wildcard.

        Raises UnresolvedVariable where a variable has neither a single value nor a default.
        """
        return tuple(
            _value(token, context) if isinstance(token, Variable) else token for token in self.tokens
        )

    def components(self) -> "tuple[Template, ...] | None":
        """The six components of an ARN, split at the policy's own colons, or None where there are fewer."""
        parts: list[list[Token]] = [[]]
        for token in self.tokens:
            if not isinstance(token, str):
                parts[-1].append(token)
                continue
            first, *rest = token.split(":", _ARN_COMPONENTS - len(parts))
            parts[-1].append(first)
            parts.extend([part] for part in rest)
        if len(parts) < _ARN_COMPONENTS:
            return None
        return tuple(Template(tuple(part)) for part in parts)


def parse(text: str, *, variables: bool) -> Template:
    """Take a text apart. Policies of Version 2008-10-17 have no variables: `${…}` is plain text there."""
    tokens: list[Token] = []
    end = 0
    for match in (_SPECIAL if variables else _WILDCARD).finditer(text):
        if match.start() > end:
            tokens.append(text[end : match.start()])
        tokens.append(_special(match))
        end = match.end()
    if end < len(text):
        tokens.append(text[end:])
    return Template(tuple(tokens))


def plain(rendered: Rendered) -> str:
    """The text where wildcards mean nothing special."""
    return "".join(token if isinstance(token, str) else token.value for token in rendered)


@lru_cache(maxsize=4096)
def glob(rendered: Rendered) -> re.Pattern[str]:
    """A pattern whose wildcards reach over everything, slashes and colons included."""
    return re.compile(_expression(rendered, "."), re.DOTALL)


def any_glob(texts: Iterable[Rendered]) -> re.Pattern[str]:
    """One pattern for any of these texts; nothing matches none."""
    alternatives = [f"(?:{_expression(each, '.')})" for each in texts]
    return re.compile("|".join(alternatives) or r"(?!)", re.DOTALL)


@lru_cache(maxsize=4096)
def arn_glob(components: tuple[Rendered, ...]) -> re.Pattern[str]:
    """A pattern of an ARN whose wildcards stay within their component, as Arn operators compare."""
    *heads, resource = components
    parts = [_expression(head, "[^:]") for head in heads]
    return re.compile(":".join([*parts, _expression(resource, ".")]), re.DOTALL)


def _special(match: re.Match[str]) -> Token:
    inner = match[1] if match.re is _SPECIAL else None
    if inner is None:
        return Wildcard(match[0])
    if inner in ("*", "?", "$"):
        return str(inner)
    defaulted = _DEFAULTED.fullmatch(inner)
    return Variable(defaulted[1].lower(), defaulted[2]) if defaulted else Variable(inner.lower())


def _value(variable: Variable, context: Context) -> str:
    value = context.get(variable.key)
    if isinstance(value, str):
        return value
    if variable.default is None:
        raise UnresolvedVariable(variable.key)
    return variable.default


def _expression(rendered: Rendered, character: str) -> str:
    """Runs between `*`: each but the last takes its leftmost place for good, so matching never backtracks."""
    runs: list[str] = [""]
    for token in rendered:
        if token is Wildcard.MANY:
            runs.append("")
        else:
            runs[-1] += character if isinstance(token, Wildcard) else re.escape(token)
    first, *rest = runs
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>{character}*?{run})" for run in middle if run) + f"{character}*{last}"
