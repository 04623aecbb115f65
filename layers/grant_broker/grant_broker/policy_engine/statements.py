"""One statement of a policy, asked whether it speaks of a call."""

import re
from typing import NamedTuple

from grant_broker.policy_engine.conditions import Condition
from grant_broker.policy_engine.principals import Caller, Match, Principals
from grant_broker.policy_engine.templates import Context, Template, UnresolvedVariable, glob


class Resources(NamedTuple):
    """A Resource or NotResource element.

    A wildcard that ends a segment reaches over colons (IAM, "Using wildcards in resource ARNs").
    """

    constant: re.Pattern[str]
    varying: tuple[Template, ...]
    negated: bool

    def match(self, arn: str, context: Context) -> bool | None:
        """Whether the resource is taken in; None where a NotResource names it by an unknown value."""
        if self.constant.fullmatch(arn):
            return not self.negated
        unresolved = False
        for template in self.varying:
            try:
                if glob(template.render(context)).fullmatch(arn):
                    return not self.negated
            except UnresolvedVariable:
                unresolved = True
        return None if unresolved and self.negated else self.negated


class Statement(NamedTuple):
    """One statement. `position` counts from 1, for statements without a Sid."""

    position: int
    sid: str | None
    allow: bool
    actions: re.Pattern[str] | None
    """None where the statement has neither Action nor NotAction."""
    actions_negated: bool
    principals: Principals | None
    resources: Resources | None
    conditions: tuple[Condition, ...]

    @property
    def complete(self) -> bool:
        """Whether it has both an Action and a Resource, or their Not forms.

        KMS stores a key policy's statement without one of them, and it has no effect there: it neither
        allows nor denies, and the other statements count (PutKeyPolicy, "Policy").
        """
        return self.actions is not None and self.resources is not None

    def concerns(self, action: str) -> bool:
        """Whether the statement speaks of this action, in lower case: IAM's actions ignore case."""
        return self.actions is not None and (self.actions.fullmatch(action) is None) == self.actions_negated

    def takes_in(self, who: Caller) -> Match:
        """How the statement takes the caller in; an identity policy's statement always does."""
        return self.principals.match(who, allow=self.allow) if self.principals else Match.DIRECT

    def holds(self, resource_arn: str, context: Context) -> tuple[bool | None, tuple[str, ...]]:
        """Whether resource and conditions fit, and what was not understood where that cannot be told."""
        fits = self.resources.match(resource_arn, context) if self.resources else True
        if fits is False:
            return False, ()
        unknown = [] if fits else ["NotResource"]
        for each in self.conditions:
            outcome = each.holds(context)
            if outcome is False:
                return False, ()
            if outcome is None:
                unknown.append(each.label)
        return None if unknown else True, tuple(unknown)
