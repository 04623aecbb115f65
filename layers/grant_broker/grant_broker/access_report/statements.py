"""The statements of a policy, as they are written and as the engine reads them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grant_broker.access_report.conditions import Block
from grant_broker.policy_engine.policies import parse_policy
from grant_broker.policy_engine.statements import Statement

Document = str | Mapping[str, Any]
"""A policy, as text or read from it."""


@dataclass(frozen=True)
class NamedStatement:
    """A statement that has an effect. `name` is its Sid, or its number in the policy."""

    name: str
    raw: Mapping[str, Any]
    read: Statement

    @property
    def conditions(self) -> Block:
        """The Condition element, empty where there is none."""
        found: Block = self.raw.get("Condition", {})
        return found

    def on(self, key_arn: str) -> bool:
        """Whether the statement may speak of the key."""
        resources = self.read.resources
        # What a variable would name is not known here: an access too many is shown, not one too few.
        return resources is None or resources.match(key_arn, {}) is not False


def statements_of(document: Document) -> list[NamedStatement]:
    """The statements that have an effect. ValueError for a policy that AWS would not have stored."""
    raw = _raw(document)
    effective = [(name, each) for name, each in _named(raw) if not missing_from(each)]
    read = parse_policy({**raw, "Statement": [each for _, each in effective]})
    return [
        NamedStatement(name, each, statement)
        for (name, each), statement in zip(effective, read.statements, strict=True)
    ]


def without_effect(document: Document) -> Iterator[tuple[str, str]]:
    """Name, and the element that is missing, of each statement that neither allows nor denies.

    KMS stores a statement without Action or without Resource, and passes over it (PutKeyPolicy).
    """
    for name, each in _named(_raw(document)):
        if missing := missing_from(each):
            yield name, missing


def missing_from(statement: Mapping[str, Any]) -> str | None:
    """The element without which the statement has no effect; None where it has one."""
    for element in ("Action", "Resource"):
        if element not in statement and f"Not{element}" not in statement:
            return element
    return None


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """JSON's list, or the single value in one."""
    return value if isinstance(value, list) else [value]


def _raw(document: Document) -> Mapping[str, Any]:
    try:
        raw = json.loads(document) if isinstance(document, str) else document
    except RecursionError:
        raise ValueError("the policy is nested too deeply") from None
    if not isinstance(raw, Mapping) or "Statement" not in raw:
        raise ValueError("a policy is an object with a Statement")
    return raw


def _named(raw: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for position, each in enumerate(listed(raw["Statement"]), start=1):
        if not isinstance(each, Mapping):
            words = f"statement {position} is not an object of IAM's elements"
            raise ValueError(words)  # noqa: TRY004 - as all faults of a policy
        yield str(each.get("Sid") or f"statement {position}"), each
