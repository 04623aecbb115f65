"""What the policies say of one call, before they are weighed against each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grant_broker.policy_engine.calls import Call, Source, SourceKind
from grant_broker.policy_engine.policies import Policy, parse_policy
from grant_broker.policy_engine.principals import Caller, Match
from grant_broker.policy_engine.statements import Statement
from grant_broker.policy_engine.templates import Context

Document = Policy | str | Mapping[str, Any]
"""A policy, read already or as AWS stores it."""


@dataclass(frozen=True)
class Finding:
    """A statement that applies to the call, and its name in words."""

    source: Source
    words: str


@dataclass
class Findings:
    """The statements that apply to one call."""

    call: Call
    who: Caller
    context: Context
    denying: list[Finding] = field(default_factory=list)
    direct: Finding | None = None
    """The resource's policy allows it to the caller."""
    delegating: Finding | None = None
    """The resource's policy allows it to the caller's account."""
    identity: Finding | None = None
    unknown: list[str] = field(default_factory=list)

    @property
    def identity_allows(self) -> bool:
        """Whether the caller's own account allows it; the root user may do what its account may."""
        return self.identity is not None or self.who.root

    def read_resource_policy(self, document: Document, name: str) -> None:
        """Take in the resource's own policy, called `name` in words."""
        for statement, match in self._applying(document):
            if statement.principals is None:
                raise ValueError(
                    f"statement {statement.position} of the {name} needs Principal or NotPrincipal"
                )
            finding = _finding("key_policy", statement, f"the {name}")
            if not statement.allow:
                self.denying.append(finding)
            elif match is Match.DIRECT:
                self.direct = self.direct or finding
            else:
                self.delegating = self.delegating or finding

    def read_identity_policies(self, documents: Iterable[Document]) -> None:
        """Take in the policies of the caller's account."""
        for number, document in enumerate(documents, start=1):
            for statement, _ in self._applying(document):
                if statement.principals is not None or statement.resources is None:
                    place = f"statement {statement.position} of identity policy {number}"
                    raise ValueError(f"{place} needs Resource or NotResource, and no Principal")
                finding = _finding("identity_policy", statement, f"identity policy {number}")
                if not statement.allow:
                    self.denying.append(finding)
                else:
                    self.identity = self.identity or finding

    def _applying(self, document: Document) -> Iterable[tuple[Statement, Match]]:
        policy = document if isinstance(document, Policy) else parse_policy(document)
        action = self.call.action.lower()
        for statement in policy.statements:
            if not statement.concerns(action):
                continue
            match = statement.takes_in(self.who)
            if match is Match.NO:
                continue
            outcome, unknown = statement.holds(self.call.resource_arn, self.context)
            self.unknown.extend(each for each in unknown if each not in self.unknown)
            # What cannot be told never widens: no Allow rests on it, and a Deny stands.
            if outcome or (outcome is None and not statement.allow):
                yield statement, match


def _finding(kind: SourceKind, statement: Statement, policy: str) -> Finding:
    name = f'"{statement.sid}"' if statement.sid else str(statement.position)
    source = Source(kind, sid=statement.sid, effect="Allow" if statement.allow else "Deny")
    return Finding(source, f"statement {name} of {policy}")
