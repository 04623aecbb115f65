"""What it takes to make keys, standing approvals and accounts as files say, and doing it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from grant_broker.client.asked import StandingApproval
from grant_broker.client.desired_state import DesiredState, WantedAccount, WantedApproval, WantedKey, complete
from grant_broker.client.errors import ConflictError
from grant_broker.client.security_team import limits_of
from grant_broker.domain.arns import key_id_of
from grant_broker.domain.key_document import KeyDocument, compare

if TYPE_CHECKING:
    from grant_broker.api.shapes.accounts import NamedAccount
    from grant_broker.api.shapes.approvals import Approval
    from grant_broker.api.shapes.keys import Limits
    from grant_broker.client.security_team import SecurityTeam

Action = Literal["none", "create", "change", "vote"]
_LIVING = ("pending", "active")
# What tells one standing approval from another.
_TELLING = (
    "key",
    "account",
    "grantee",
    "operations",
    "encryption_context",
    "context_match",
    "max_duration",
    "valid_until",
    "windows",
    "reason",
)


def _action(before: object | None, after: object) -> Action:
    if before is None:
        return "create"
    return "none" if before == after else "change"


def _changes(
    before: Mapping[str, object] | None, after: Mapping[str, object]
) -> dict[str, tuple[object, object]]:
    known = before or {}
    return {name: (known.get(name), after[name]) for name in after if known.get(name) != after[name]}


@dataclass(frozen=True)
class KeyStep:
    """One key: how it is (None where nobody manages it yet), and how it is to be."""

    before: "Limits | None"
    after: "Limits"
    version: str | None
    votes: int
    """That were given for exactly this document already."""
    may_decide: bool = True
    """Whether whoever plans is an approver of the key."""

    @property
    def action(self) -> Action:
        """What is to be done."""
        return _action(self.before, self.after)

    @property
    def name(self) -> str:
        """What to call it."""
        return f"key {self.after['name']}"

    @property
    def widened(self) -> tuple[str, ...]:
        """The fields by which it would allow more than now."""
        return self._comparison[0]

    @property
    def narrowed(self) -> tuple[str, ...]:
        """The fields by which it would allow less than now."""
        return self._comparison[1]

    @property
    def needed(self) -> int:
        """How many persons' votes it takes: the present quorum's."""
        return self.before["quorum"] if self.before else 1

    @property
    def changes(self) -> dict[str, tuple[object, object]]:
        """Fields that differ, before and after."""
        return _changes(self.before, self.after)

    @property
    def _comparison(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if self.before is None:
            return (), ()
        found = compare(KeyDocument.model_validate(self.before), KeyDocument.model_validate(self.after))
        return found.widened, found.narrowed


@dataclass(frozen=True)
class ApprovalStep:
    """One standing approval: the living one that says the same, if any, and what the files say."""

    before: "Approval | None"
    wanted: WantedApproval
    needed: int
    """How many persons' votes it takes."""

    @property
    def action(self) -> Action:
        """What is to be done. One that waits for votes is voted for."""
        if self.before is None:
            return "create"
        return "vote" if self.before["status"] == "pending" else "none"

    @property
    def name(self) -> str:
        """What to call it."""
        return f"approval of {self.wanted.account} on {self.wanted.key}"

    @property
    def votes(self) -> int:
        """That were given already."""
        return len(self.before["decisions"]) if self.before else 0


@dataclass(frozen=True)
class AccountStep:
    """One account: what is said of it (None where nobody has named it), and what is to be said."""

    before: "NamedAccount | None"
    after: "NamedAccount"
    version: str | None
    votes = 0
    needed = 1
    narrowed = ()

    @property
    def action(self) -> Action:
        """What is to be done."""
        return _action(self.before, self.after)

    @property
    def name(self) -> str:
        """What to call it."""
        return f"account {self.after['account']} {self.after['name']}"

    @property
    def widened(self) -> tuple[str, ...]:
        """The bus, where events would go to one that they do not go to now."""
        now = self.before and self.before["event_bus"]
        return ("event_bus",) if self.after["event_bus"] not in {None, now} else ()

    @property
    def changes(self) -> dict[str, tuple[object, object]]:
        """Fields that differ, before and after."""
        return _changes(self.before, self.after)


Step: TypeAlias = KeyStep | ApprovalStep | AccountStep


@dataclass(frozen=True)
class Plan:
    """All steps, in the order in which they are done, and what the files do not speak of."""

    keys: tuple[KeyStep, ...]
    approvals: tuple[ApprovalStep, ...]
    accounts: tuple[AccountStep, ...]
    unmanaged: tuple[str, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them."""
        return (*self.keys, *self.approvals, *self.accounts)

    @property
    def changes(self) -> bool:
        """Whether anything is to be done."""
        return any(step.action != "none" for step in self.steps)

    @property
    def widens(self) -> bool:
        """Whether afterwards more is allowed than now."""
        return any(
            step.widened
            if isinstance(step, AccountStep) or (isinstance(step, KeyStep) and step.before)
            else step.action != "none"
            for step in self.steps
        )


def make_plan(team: "SecurityTeam", desired: DesiredState) -> Plan:
    """Compare what the files say with what the broker has. Changes nothing. UnreadableError."""
    present = {key["key_arn"]: limits_of(key) for key in team.list_keys()}
    keys = tuple(_key_step(team, wanted, present.get(wanted.key_arn)) for wanted in desired.keys)
    names = {key["name"]: key["key_arn"] for key in [*present.values(), *(step.after for step in keys)]}
    quorums = {key["key_arn"]: key["quorum"] for key in [*present.values(), *(step.after for step in keys)]}
    living = [approval for approval in team.list_approvals() if approval["status"] in _LIVING]
    approvals = tuple(_approval_step(wanted, living, names, quorums) for wanted in desired.approvals)
    spoken_of = {step.before["id"] for step in approvals if step.before}
    named = {account["account"]: account for account in team.list_accounts()}
    accounts = tuple(_account_step(team, wanted, named.get(wanted.account)) for wanted in desired.accounts)
    unmanaged = [
        *_unmanaged(present, living, desired, spoken_of),
        *(f"account {each}" for each in named if each not in {step.after["account"] for step in accounts}),
    ]
    return Plan(keys, approvals, accounts, tuple(unmanaged))


def carry_out(team: "SecurityTeam", step: Step) -> bool:
    """Do one step; whether it is in effect now, or waits for others' votes. GrantBrokerError."""
    if isinstance(step, AccountStep):
        team.put_account(step.after["account"], step.after, if_match=step.version)
        return True
    if isinstance(step, ApprovalStep):
        return _approve(team, step)
    answer = team.put_key(key_id_of(step.after["key_arn"]), step.after, if_match=step.version)
    return "votes" not in answer


def _approve(team: "SecurityTeam", step: ApprovalStep) -> bool:
    if step.before is None:
        asked = step.wanted.model_dump(mode="json", exclude={"kind"}, exclude_none=True)
        return team.approve_ahead(**cast("StandingApproval", asked))["status"] == "active"
    try:
        return team.decide_on_approval(step.before["id"], "approve")["status"] == "active"
    except ConflictError:
        # One's own vote counts once: others' are what it waits for.
        return False


def _key_step(team: "SecurityTeam", wanted: WantedKey, present: "Limits | None") -> KeyStep:
    fields = cast("dict[str, object]", present or {}) | wanted.fields
    after = cast("Limits", complete(fields).model_dump(mode="json"))
    if present is None or present == after:
        return KeyStep(present, after, None, 0)
    key_id = key_id_of(wanted.key_arn)
    votes = [each["votes"] for each in team.list_proposals(key_id) if each["document"] == after]
    shown, version = team.get_key(key_id)
    return KeyStep(present, after, version, next(iter(votes), 0), shown["may_decide"])


def _account_step(team: "SecurityTeam", wanted: WantedAccount, present: "NamedAccount | None") -> AccountStep:
    after = cast("NamedAccount", wanted.model_dump(mode="json", exclude={"kind"}))
    if present is None or present == after:
        return AccountStep(present, after, None)
    return AccountStep(present, after, team.get_account(wanted.account)[1])


def _approval_step(
    wanted: WantedApproval, living: "list[Approval]", names: dict[str, str], quorums: dict[str, int]
) -> ApprovalStep:
    key_arn = names.get(wanted.key, wanted.key)
    asked = {**wanted.model_dump(mode="json"), "key": key_arn}
    same = [
        each
        for each in living
        if all(asked[name] == cast("dict[str, object]", each)[name] for name in _TELLING)
    ]
    return ApprovalStep(next(iter(same), None), wanted, quorums.get(key_arn, 1))


def _unmanaged(
    present: "dict[str, Limits]", living: "list[Approval]", desired: DesiredState, spoken_of: set[str]
) -> Iterator[str]:
    wanted = {key.key_arn for key in desired.keys}
    yield from (f"key {key['name']}" for arn, key in present.items() if arn not in wanted)
    yield from (
        f"approval {each['id']} of {each['account']}" for each in living if each["id"] not in spoken_of
    )
