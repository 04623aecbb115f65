"""Which statements of the policies apply to one call, before they are weighed against each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from grant_broker.policy_engine.calls import Call, Source, SourceKind
from grant_broker.policy_engine.conditions import normalise
from grant_broker.policy_engine.policies import Policy, parse_policy
from grant_broker.policy_engine.principals import Caller, Match, caller
from grant_broker.policy_engine.statements import Statement
from grant_broker.policy_engine.templates import Context

Document = Policy | str | Mapping[str, Any]
"""A policy, read already or as AWS stores it."""


class ApplyingStatement(NamedTuple):
    """A statement that applies to the call, and its name in words."""

    source: Source
    words: str


@dataclass
class ApplyingStatements:
    """The statements that apply to one call."""

    call: Call
    action: str
    """The call's action in lower case."""
    who: Caller
    context: Context
    denying: list[ApplyingStatement] = field(default_factory=list)
    direct: ApplyingStatement | None = None
    """The resource's policy allows it to the caller."""
    delegating: ApplyingStatement | None = None
    """The resource's policy allows it to the caller's account."""
    identity: ApplyingStatement | None = None
    unknown: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, call: Call) -> "ApplyingStatements":
        """No statement yet; the policies are to be read."""
        context = normalise(call.context)
        return cls(call, call.action.lower(), caller(call.principal_arn, context), context)

    @property
    def identity_allows(self) -> bool:
        """Whether the caller's own account allows it; the root user may do what its account may."""
        return self.identity is not None or self.who.root

    def read_key_policy(self, document: Document) -> None:
        """Read the key's policy, in which a statement without Action or Resource has no effect."""
        complete = [each for each in _statements(document) if each.complete]
        self._read_resource_policy(complete, "the key policy")

    def read_resource_policy(self, document: Document) -> None:
        """Read another resource's own policy. A role's trust policy has no Resource."""
        self._read_resource_policy(_statements(document), "the resource policy")

    def read_identity_policies(self, documents: Iterable[Document]) -> None:
        """Read the policies of the caller's account."""
        for number, document in enumerate(documents, start=1):
            name = f"identity policy {number}"
            for statement in _statements(document):
                if statement.principals is not None or statement.resources is None:
                    raise _incomplete(statement, name, "Resource or NotResource, and no Principal")
                if statement.actions is None:
                    raise _incomplete(statement, name, "Action or NotAction")
                if self._match(statement) is Match.NO:
                    continue
                applying = _named("identity_policy", statement, name)
                if not statement.allow:
                    self.denying.append(applying)
                else:
                    self.identity = self.identity or applying

    def _read_resource_policy(self, statements: Iterable[Statement], name: str) -> None:
        for statement in statements:
            if statement.principals is None:
                raise _incomplete(statement, name, "Principal or NotPrincipal")
            if statement.actions is None:
                raise _incomplete(statement, name, "Action or NotAction")
            match = self._match(statement)
            if match is Match.NO:
                continue
            applying = _named("key_policy", statement, name)
            if not statement.allow:
                self.denying.append(applying)
            elif match is Match.DIRECT:
                self.direct = self.direct or applying
            else:
                self.delegating = self.delegating or applying

    def _match(self, statement: Statement) -> Match:
        """How the statement takes the caller in; NO where it does not apply to the call."""
        if not statement.concerns(self.action):
            return Match.NO
        match = statement.takes_in(self.who)
        if match is Match.NO:
            return Match.NO
        outcome, unknown = statement.holds(self.call.resource_arn, self.context)
        self.unknown.extend(each for each in unknown if each not in self.unknown)
        # What cannot be told never widens: no Allow rests on it, and a Deny stands.
        applies = not statement.allow if outcome is None else outcome
        return match if applies else Match.NO


def _statements(document: Document) -> tuple[Statement, ...]:
    return (document if isinstance(document, Policy) else parse_policy(document)).statements


def _incomplete(statement: Statement, policy: str, needed: str) -> ValueError:
    return ValueError(f"statement {statement.position} of {policy} needs {needed}")


def _named(kind: SourceKind, statement: Statement, policy: str) -> ApplyingStatement:
    name = f'"{statement.sid}"' if statement.sid else str(statement.position)
    source = Source(kind, sid=statement.sid, effect="Allow" if statement.allow else "Deny")
    return ApplyingStatement(source, f"statement {name} of {policy}")
