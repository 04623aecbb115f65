"""The statements of a policy, as they are written and as the engine reads them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grant_broker.access_report.conditions import Block
from grant_broker.domain.key_policy import listed
from grant_broker.policy_engine.policies import parse_policy
from grant_broker.policy_engine.statements import Statement

Document = str | Mapping[str, Any]
"""A policy, as text or read from it."""


@dataclass(frozen=True)
class NamedStatement:
    """A statement. `name` is its Sid, or its number in the policy."""

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
        if resources is None or resources.match(key_arn, {}) is not False:
            return True
        # What a variable would name is not known here: an access too many is shown, not one too few.
        return bool(resources.varying) and not resources.negated

    def certainly_on(self, key_arn: str) -> bool:
        """Whether the statement speaks of the key whatever the call."""
        return self.read.resources is not None and self.read.resources.match(key_arn, {}) is True


def statements_of(document: Document) -> list[NamedStatement]:
    """The statements that have an effect. ValueError for a policy that AWS would not have stored."""
    return [each for each in _named(document) if each.read.complete]


def without_effect(document: Document) -> Iterator[tuple[str, str]]:
    """Name, and the element that is missing, of each statement that neither allows nor denies."""
    for each in _named(document):
        if not each.read.complete:
            yield each.name, "Action" if each.read.actions is None else "Resource"


def _named(document: Document) -> list[NamedStatement]:
    policy = parse_policy(document)
    raw = json.loads(document) if isinstance(document, str) else document
    return [
        NamedStatement(read.sid or f"statement {read.position}", each, read)
        for each, read in zip(listed(raw["Statement"]), policy.statements, strict=True)
    ]
