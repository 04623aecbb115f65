"""CloudFormation's YAML and the intrinsic functions that the template uses."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Reference = Callable[[str, str | None], Any]
"""What a logical id is (attribute None: Ref) or has (GetAtt)."""

_LONG_FORM = {"Ref", "Condition"}
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
NO_VALUE = object()


# libyaml's parser where PyYAML has it: every deployment in a test reads the template.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML with the short forms (`!Ref`, `!Sub`, …) of the intrinsic functions."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_scalar(node)  # type: ignore[arg-type] # what is left is a scalar
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in _LONG_FORM else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
# The version of a policy language is a date to YAML 1.1, and a string to CloudFormation.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@cache
def load(path: Path) -> dict[str, Any]:
    """A template with every intrinsic function in its long form; read once, and never changed."""
    document: dict[str, Any] = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    return document


class Resolver:
    """Resolves intrinsic functions; `reference` answers Ref and GetAtt. KeyError for an unknown function."""

    def __init__(
        self, reference: Reference, conditions: Mapping[str, Any], mappings: Mapping[str, Any]
    ) -> None:
        self._reference, self._conditions, self._mappings = reference, conditions, mappings

    def __call__(self, value: Any) -> Any:
        """The value with each function replaced by its result; AWS::NoValue removes its entry."""
        if isinstance(value, list):
            return [found for item in value if (found := self(item)) is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in {"Ref", "Condition"} and isinstance(argument, str):
                return self._reference(argument, None) if name == "Ref" else self.holds(argument)
            if name.startswith("Fn::"):
                return self._apply(name.removeprefix("Fn::"), argument)
        return {name: found for name, item in value.items() if (found := self(item)) is not NO_VALUE}

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template holds."""
        return bool(self(self._conditions[condition]))

    def _apply(self, name: str, argument: Any) -> Any:
        if name == "If":
            return self(argument[1] if self.holds(argument[0]) else argument[2])
        if name == "Sub":
            return self._sub(argument)
        if name == "GetAtt":
            return self._reference(argument[0], argument[1])
        given = self(argument)
        functions: dict[str, Callable[[Any], Any]] = {
            "Join": lambda a: a[0].join(str(part) for part in a[1]),
            "Split": lambda a: a[1].split(a[0]),
            "Select": lambda a: a[1][int(a[0])],
            "Equals": lambda a: str(a[0]) == str(a[1]),
            "Not": lambda a: not a[0],
            "And": all,
            "Or": any,
            "FindInMap": lambda a: self._mappings[a[0]][a[1]][a[2]],
        }
        return functions[name](given)

    def _sub(self, argument: Any) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})
        local = self(given)

        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in local:
                return str(local[name])
            logical_id, _, attribute = name.partition(".")
            return str(self._reference(logical_id, attribute or None))

        return _VARIABLE.sub(value, text)
