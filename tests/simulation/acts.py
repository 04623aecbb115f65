"""What people do, through the API, with the faults of a plan."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.local_stack.brokers import Answer
from tests.simulation import looks
from tests.simulation.injection import Fault
from tests.simulation.keys import path_of
from tests.simulation.world import World

Plan = Sequence[Fault]


class Acts:
    """Calls on a world; a caller whose keys are gone makes none."""

    def __init__(self, world: World) -> None:
        self.world = world

    def call(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> Answer | None:
        """Any call."""
        return self.world.call(who, method, path, body, **more) if self.world.known(who) else None

    def on_request(
        self, who: str, method: str, path: str, request: str | None, body: Any = None, **more: Any
    ) -> Answer | None:
        """A call about a request; none where there is none."""
        return self.call(who, method, path.format(request), body, **more) if request else None

    def pick(self, number: int, *statuses: str) -> str | None:
        """A request, the newest first; most often one of these statuses."""
        found = self.world.requests()[::-1]
        wanted = self.world.requests(*statuses)[::-1]
        pool = wanted if wanted and number % 5 else found
        return pool[number % len(pool)] if pool else None

    def owner(self, request: str | None, number: int) -> str:
        """Who asked for it; now and then somebody else."""
        arn = self.world.ledger.record(request)["requester_arn"] if request else ""
        own = [name for name, person in self.world.people.items() if person.arn == arn]
        return own[0] if own and number % 7 else ("partner", "partner_colleague", "other_partner")[number % 3]

    def submit(
        self, who: str, key: str, scope: Any, *, app: int = 0, later: int = 0, repeat: bool = False,
        plan: Plan = (),
    ) -> str | None:  # fmt: skip
        """The id of the new request, None where nobody was told; `app`: which grantee of the account."""
        own = self.grantees(self.world.people[who].account)
        body = {"key": key, "grantee": own[app % len(own)], "reason": "load", "ticket": "CHG-1", **scope}
        if later:
            body["starts_at"] = self._in(later)
        headers = {"Idempotency-Key": "again"} if repeat else {}
        answer = self.call(who, "POST", "/requests", body, plan=plan, headers=headers)
        return answer.body["id"] if answer and answer.status == 201 else None

    def extend(
        self, who: str, request: str | None, duration: str, *, repeat: bool = False, plan: Plan = ()
    ) -> str | None:
        """The id of a request that extends this one, None where nobody was told."""
        body = {"duration": duration, "reason": "more to load"}
        headers = {"Idempotency-Key": "again"} if repeat else {}
        path = "/requests/{}/extension"
        answer = self.on_request(who, "POST", path, request, body, plan=plan, headers=headers)
        return answer.body["id"] if answer and answer.status == 201 else None

    def break_glass(self, who: str, request: str | None, plan: Plan = ()) -> Answer | None:
        """Be granted a request at once."""
        path, why = "/requests/{}/break-glass", {"reason": "outage"}
        return self.on_request(who, "POST", path, request, why, plan=plan)

    def take_up(self, who: str, request: str | None, plan: Plan = ()) -> Answer | None:
        """Take a request up."""
        return self.on_request(who, "POST", "/requests/{}/grant", request, plan=plan)

    def grantees(self, account: str) -> list[str]:
        """The principals of an account that may be granted something."""
        return [arn for arn in self.world.grantees if f":{account}:" in arn]

    def agree(self, request: str | None, durations: Sequence[str | None]) -> None:
        """Approvers vote for it, each with a duration or none, while votes are missing."""
        for who, duration in zip(("bob", "carol", "alice", "bob"), durations, strict=False):
            if request in self.world.requests("pending"):
                self.vote(who, request, "approve", duration=duration)

    def vote(
        self, who: str, request: str | None, verdict: str, *, duration: str | None = None, plan: Plan = ()
    ) -> Answer | None:
        """Vote on a request."""
        body = {"verdict": verdict, "comment": "so be it", "duration": duration}
        return self.on_request(who, "POST", "/security/requests/{}/decision", request, body, plan=plan)

    def approve_ahead(
        self, who: str, key: str, account: str, *, lasts: int, app: int | None = None,
        hours: str | None = None, plan: Plan = (),
    ) -> Answer | None:  # fmt: skip
        """A standing approval for tenant a of an account, for one of its grantees or any, at some hours."""
        own = self.grantees(account)
        body = {
            "key": key, "account": account, "grantee": None if app is None else own[app % len(own)],
            "operations": ["DescribeKey", "Encrypt"],
            "encryption_context": {"tenant": "a"}, "context_match": "subset", "max_duration": "PT20M",
            "valid_until": self._in(lasts), "reason": "nightly", "windows": windows(hours),
        }  # fmt: skip
        return self.call(who, "POST", "/security/approvals", body, plan=plan)

    def limit(self, who: str, name: str, limits: Any, plan: Plan = ()) -> Answer | None:
        """Other limits of a key; with None it is closed."""
        path = self.path(name)
        if limits is None:
            return self.call(who, "DELETE", path, plan=plan)
        self.world.ledger.narrowed |= "max_duration" in limits
        return self.call(who, "PUT", path, self.world.document(name, **limits), plan=plan)

    def name_account(self, who: str, account: str, plan: Plan = ()) -> Answer | None:
        """Say what people call an account."""
        entry = {"name": "acme", "contact": "night desk"}
        return self.call(who, "PUT", f"/security/accounts/{account}", entry, plan=plan)

    def sign_off(self, who: str, subject: str, *, repeat: bool = False, plan: Plan = ()) -> Answer | None:
        """Say of a key, standing approval or account that somebody has looked at it."""
        headers = {"Idempotency-Key": "again"} if repeat else {}
        body = {"comment": "seen"}
        return self.call(who, "POST", looks.review_of(subject), body, plan=plan, headers=headers)

    def path(self, name: str) -> str:
        """Where a key's limits are."""
        return path_of(self.world.keys.arns[name])

    def _in(self, seconds: int) -> str:
        return (self.world.now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def windows(hours: str | None) -> list[dict[str, Any]] | None:
    """One window on the day on which every example begins, such as 00:10-00:40; None for any time."""
    if hours is None:
        return None
    since, _, until = hours.partition("-")
    return [{"days": ["tue"], "from": since, "to": until, "time_zone": "UTC"}]
