"""A deployment rehearsed on the local AWS: created wave by wave, updated, deleted, recreated, and failed.

`python -m tests.infrastructure.rehearsal` prints what happens, and exits with 1 where something was refused
that should have gone through, or went through too early.
"""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.infrastructure.making import Account, Made, RefusedError
from tests.infrastructure.transformed import Plan
from tests.local_aws.cloud import Cloud
from tests.local_stack.intrinsics import Resolver

ONE = {"TrustedAccounts": "444455556666", "FoundingScenario": "yes", "SecurityMail": "team@example.com"}
ONE_MORE = {**ONE, "TrustedAccounts": "444455556666,666677778888"}
_ROLE_NAME = 64  # characters of a role's name, at most
_KEPT = {"Retain", "RetainExceptOnCreate"}


@dataclass
class Stack:
    """A stack as CloudFormation keeps it. `number`: the how manieth of its name, by which names differ."""

    account: Account
    plan: Plan
    number: int = 1
    made: dict[str, Made] = field(default_factory=dict)

    def create(self, name: str) -> None:
        """Make one resource. RefusedError where something that it needs does not stand, or AWS refuses it."""
        if missing := sorted(self.plan.needs[name] - set(self.made)):
            raise RefusedError(f"{', '.join(missing)} does not stand")
        resource = self.plan.resources[name]
        given = self._resolve(resource.get("Properties", {}))
        self.made[name] = self.account.make(resource["Type"], self._physical_name(name), given)

    def create_all(self) -> Iterator[tuple[list[str], int]]:
        """Each wave when it stands, and how many resources of the next one were refused before it did."""
        waves = [[name for name in wave if name not in self.made] for wave in self.plan.waves()]
        for wave, following in zip(waves, [*waves[1:], []], strict=True):
            refused = sum(map(self._is_refused, following))
            for name in wave:
                self.create(name)
            yield wave, refused

    def adopt(self, name: str, made: Made) -> None:
        """Take in a resource that an earlier stack left, as a change set of type IMPORT does."""
        self.made[name] = made

    def _is_refused(self, name: str) -> bool:
        try:
            self.create(name)
        except RefusedError:
            return True
        raise RefusedError(f"{name} stood before what it needs")

    def update(self, plan: Plan) -> dict[str, str]:
        """Change to another plan: resource to what changed of it. RefusedError where one cannot change."""
        before, self.plan, changed = self.plan, plan, {}
        for name in (name for wave in plan.waves() for name in wave):
            if name not in self.made:
                self.create(name)
                changed[name] = "made"
            elif what := self._update_one(name):
                changed[name] = what
        for name in (name for wave in reversed(before.waves()) for name in wave):
            if name not in plan.resources:
                self.account.delete(self.made.pop(name))
                changed[name] = "deleted"
        return changed

    def _update_one(self, name: str) -> str:
        made = self.made[name]
        given = self._resolve(self.plan.resources[name].get("Properties", {}))
        differing = sorted(key for key in {*given, *made.given} if given.get(key) != made.given.get(key))
        if differing:
            self.account.change(made, given)
        return ", ".join(differing)

    def delete_all(self, *, failed: bool = False) -> list[Made]:
        """Delete what stands, last made first; what stays. `failed`: the creation itself did."""
        stays = []
        for name in (name for wave in reversed(self.plan.waves()) for name in wave if name in self.made):
            policy = self.plan.resources[name].get("DeletionPolicy")
            if policy == "Retain" or (policy in _KEPT and not failed):
                stays.append(self.made.pop(name))
            else:
                self.account.delete(self.made[name])
                del self.made[name]
        return stays

    def _resolve(self, properties: object) -> dict[str, object]:
        template = self.plan.template

        def reference(name: str, attribute: str | None) -> object:
            if name in template.document["Resources"]:
                return self.made[name].get(attribute)
            return template.reference(name, attribute)

        resolver = Resolver(reference, template.document["Conditions"], {})
        resolved: dict[str, object] = resolver(properties)
        return resolved

    def _physical_name(self, name: str) -> str:
        """As CloudFormation makes them: the stack's name, the logical id, and what makes it the only one."""
        stack = self.plan.template.stack
        digest = hashlib.sha256(f"{stack} {name} {self.number}".encode()).hexdigest()[:12].upper()
        if self.plan.resources[name]["Type"] == "AWS::IAM::Role":
            room = _ROLE_NAME - len(digest) - 2
            stack = stack[: room - len(name)]
        return f"{stack}-{name}-{digest}"


def rehearse() -> Iterator[str]:
    """The whole life of a stack, told line by line. RefusedError where it does not go as it should."""
    account = Account(Cloud(lambda: datetime.now(UTC)))
    plan = Plan.of(**ONE)
    yield f"Created, {len(plan.resources)} resources"
    stack = Stack(account, plan)
    for number, (wave, refused) in enumerate(stack.create_all(), 1):
        yield f"  wave {number}: {_counted(plan, wave)}"
        if refused:
            yield f"          {refused} of the next wave were refused before it"
    yield "Updated with one trusted account more"
    yield from (f"  {name}: {what}" for name, what in sorted(stack.update(Plan.of(**ONE_MORE)).items()))
    standing = dict(stack.made)
    yield "Deleted; what remains"
    yield from (f"  {made.kind:<22} {made.name}" for made in sorted(stack.delete_all(), key=_by_kind))
    yield "Recreated under the same name, the tables adopted"
    again = Stack(account, plan, number=2)
    for name in plan.named("AWS::DynamoDB::Table"):
        again.adopt(name, standing[name])
    count = sum(len(wave) for wave, _ in again.create_all())
    yield f"  {count} resources made, {len(account.standing)} stand"
    yield "A creation that fails at its last resource; what remains"
    yield f"  {len(failed_creation(account))} resources"


def failed_creation(account: Account, **parameters: str) -> list[Made]:
    """What a stack leaves whose creation is rolled back when all but its last resource stands."""
    stack = Stack(account, Plan.of(**parameters), number=3)
    waves = stack.plan.waves()
    for name in (name for wave in waves[:-1] for name in wave):
        stack.create(name)
    return stack.delete_all(failed=True)


def _by_kind(made: Made) -> tuple[str, str]:
    return made.kind, made.name


def _counted(plan: Plan, wave: list[str]) -> str:
    kinds = Counter(plan.resources[name]["Type"].removeprefix("AWS::") for name in wave)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def main() -> int:
    """Print the rehearsal; the exit code."""
    try:
        for line in rehearse():
            print(line, flush=True)
    except RefusedError as error:
        print(f"REFUSED: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
