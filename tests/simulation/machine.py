"""Everybody does anything, in any order, while AWS fails in any way: a Hypothesis state machine."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.local_stack.people import APPROVER_ROLE, DUTY_ROLE, HOME, REVIEW_ROLE
from tests.simulation import checks
from tests.simulation.acts import Acts
from tests.simulation.injection import Fault, Kind
from tests.simulation.ledger import expiry_of, request_of
from tests.simulation.oracle import RATE, TOO_MANY
from tests.simulation.world import FUNCTIONS, OTHER, PARTNER, World

_LASTING = [Kind.THROTTLED, Kind.SERVER_ERROR, Kind.TIME_OUT, Kind.ACCESS_DENIED, Kind.LOST_ANSWER]
# What has a `racer` to draw: who comes in between, how late, how stale.
_VARIED = [Kind.RACED, Kind.ZOMBIE, Kind.STALE_READ]
_PLAIN = [kind for kind in Kind if kind not in _VARIED]
ONE = st.one_of(
    st.builds(Fault, kind=st.sampled_from(_PLAIN), after=st.integers(0, 8)),
    st.builds(Fault, kind=st.sampled_from(_PLAIN), after=st.integers(0, 8)),
    st.builds(Fault, kind=st.sampled_from(_VARIED), after=st.integers(0, 8), racer=st.integers(0, 15)),
)
OUTAGE = st.builds(
    Fault, kind=st.sampled_from(_LASTING), after=st.integers(0, 8), lasting=st.just(value=True)
)
PLANS: st.SearchStrategy[list[Fault]] = st.one_of(
    st.just([]), st.lists(ONE, min_size=1, max_size=2), st.lists(OUTAGE, min_size=1, max_size=1)
)
LATE = st.builds(Fault, kind=st.just(Kind.ZOMBIE), racer=st.integers(0, 15))
_READINGS = [Kind.STALE_LISTING, Kind.NOT_FOUND, Kind.STALE_READ, Kind.PARTIAL_BATCH, Kind.NEXT_PAGE]
READING = st.builds(
    Fault,
    kind=st.sampled_from([*_READINGS, Kind.NOT_FOUND, Kind.NEXT_PAGE]),
    lasting=st.booleans(),
    racer=st.integers(0, 15),
)
REFUSING = st.builds(Fault, kind=st.just(Kind.ENTRIES), lasting=st.booleans())
RUNS = st.one_of(PLANS, st.lists(READING, min_size=1, max_size=2))
PAUSED = st.builds(Fault, kind=st.just(Kind.RACED), operation=st.just("Sleep"), racer=st.integers(0, 15))
UNSURE = st.sampled_from(
    [Fault(kind, operation="CreateGrant", lasting=True) for kind in (Kind.THROTTLED, Kind.TIME_OUT)]
)
REPEATED = st.builds(lambda pause, fault: [pause, fault], PAUSED, UNSURE)
"""CreateGrant is repeated, and before that somebody else acts."""
ISSUES = st.one_of(PLANS, st.lists(LATE, min_size=1, max_size=1), REPEATED)
# One of the home account now and then: the security team's own requests among them.
_AT_HOME = ["alice", "bob", "duty", "impostor", "key_admin"]
THIRD_PARTIES = st.one_of(
    *[st.sampled_from(["partner", "partner_colleague", "other_partner"])] * 3, st.sampled_from(_AT_HOME)
)
APPROVERS = st.sampled_from(
    ["alice", "alice", "bob", "bob", "carol", "alice_in_review", "duty", "duty_again"]
)
KEYS = st.sampled_from(["partner_data", "second_data"])
OPERATIONS = st.sampled_from([["Encrypt"], ["Encrypt", "GenerateDataKey"], ["DescribeKey", "Encrypt"]])
CONTEXTS = st.sampled_from([{"tenant": "a"}, {"tenant": "b"}, {"tenant": "a", "purpose": "load"}])
MATCHES = st.sampled_from(["equals", "subset"])
DURATIONS = st.sampled_from(["PT5M", "PT20M", "PT1H"])
PICK = st.integers(0, 20)
APP = st.sampled_from([0, 0, -1, -2])
SHORTER = st.sampled_from([None, None, "PT5M", "PT10M"])
SHORTENED = st.sampled_from([(None,) * 4, ("PT5M", None, None, None), (None, "PT20M", "PT10M", "PT10M")])
VOTERS = st.sampled_from(
    [
        ("alice",), ("bob",), ("alice", "bob"), ("alice", "bob", "carol"), ("alice", "alice_in_review"),
        ("duty", "bob", "duty_again"),
    ]
)  # fmt: skip
FENCES = st.sampled_from(
    [
        *([{}] * 3),
        {"quorum": 2, "break_glass": ["partner", "other_partner"]},
        {"quorum": 3},
        {"required_context": {"tenant": "a"}},
        {"max_duration": "PT20M", "margin": "PT1M", "break_glass": ["partner"]},
        {"break_glass": ["partner", "other_partner"]},
        {"approvers": [APPROVER_ROLE]},
        {"approvers": [DUTY_ROLE, REVIEW_ROLE], "requesters": ["partner", "other_partner"]},
    ]
)
"""A key's limits from the start on. `max_continuous` is as `max_duration`."""
HOURS = st.sampled_from([None, None, "00:00-00:25", "00:20-01:00", "00:05-23:00", "22:00-00:15"])
"""Examples begin at midnight, and last an hour or two."""
SCOPES = st.fixed_dictionaries(
    {
        "operations": OPERATIONS,
        "encryption_context": CONTEXTS,
        "context_match": MATCHES,
        "duration": DURATIONS,
    }
)
CROWD = {
    "operations": ["Encrypt"], "encryption_context": {"tenant": "a"}, "context_match": "equals",
    "duration": "PT5M",
}  # fmt: skip
STEPS: Counter[str] = Counter()


class Faults(RuleBasedStateMachine):
    """After any steps, with the faults lifted and the schedules running, every invariant holds.

    `world`, one deployment for all examples, is set by the test.
    """

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.reset()
        self.acts = Acts(self.world)
        STEPS["examples"] += 1
        self.steps = 0

    @initialize(
        scope=SCOPES, who=THIRD_PARTIES, first=FENCES, second=FENCES,
        crowd=st.sampled_from([0] * 14 + [TOO_MANY]), spread=st.sampled_from([0, 0, 0, 30, 240]),
    )  # fmt: skip
    def begin(self, *, scope: Any, who: str, first: Any, second: Any, crowd: int, spread: int) -> None:
        """Two keys, a standing approval, and requests that wait, are approved, are granted.

        Now and then a crowd of grants that would all end in one second, and a KMS that learns of all late.
        """
        self.world.spread(spread)
        for name, limits in (("partner_data", first), ("second_data", second)):
            if limits:
                self.world.call("alice", "PUT", self.acts.path(name), self.world.document(name, **limits))
        self.acts.approve_ahead("alice", "partner_data", PARTNER, lasts=3600)
        _, approved, taken = (self.acts.submit(who, "second_data", scope, app=app) for app in (0, -1, 0))
        for request in (approved, taken):
            self.acts.agree(request, [None] * 4)
        self.acts.take_up(who, taken)
        made = [self.acts.submit("partner", "partner_data", CROWD, app=number) for number in range(crowd)]
        STEPS["refused into a crowd"] += made.count(None)
        self.world.remember()

    # ------------------------------------------------------------ third parties
    @rule(
        who=THIRD_PARTIES,
        key=KEYS,
        scope=SCOPES,
        later=st.sampled_from([0, 0, 600]),
        app=APP,
        repeat=st.booleans(),
        plan=PLANS,
    )
    def submit(
        self, *, who: str, key: str, scope: Any, later: int, app: int, repeat: bool, plan: Any
    ) -> None:
        self.acts.submit(who, key, scope, app=app, later=later, repeat=repeat, plan=plan)

    @rule(
        who=THIRD_PARTIES, key=KEYS, scope=SCOPES, app=APP, plan=ISSUES,
        durations=SHORTENED,
    )  # fmt: skip
    def be_granted(self, *, who: str, key: str, scope: Any, app: int, plan: Any, durations: Any) -> None:
        request = self.acts.submit(who, key, scope, app=app)
        self.acts.agree(request, durations)
        self.acts.take_up(who, request, plan=plan)

    @rule(minutes=st.sampled_from([5, 15, 19]), times=st.sampled_from([1, 1, 2, 4]), app=APP)
    def renew(self, minutes: int, times: int, app: int) -> None:
        """Ask for more before the last grant ends, again and again, by a standing approval."""
        self.acts.approve_ahead("bob", "partner_data", PARTNER, lasts=7200)
        for _ in range(times):
            self.acts.submit("partner", "partner_data", {**CROWD, "duration": "PT20M"}, app=app)
            self.world.advance(60 * minutes)

    @rule(
        pick=PICK, duration=DURATIONS, minutes=st.sampled_from([0, 4, 15]), repeat=st.booleans(), plan=ISSUES,
        times=st.sampled_from([1, 1, 2]),
    )  # fmt: skip
    def extend(self, *, pick: int, duration: str, minutes: int, repeat: bool, times: int, plan: Any) -> None:
        """Go on with a grant, or with what goes on with it: each of them alike to KMS but for its name."""
        request = self.acts.pick(pick, "active")
        if request not in self.world.requests("active") and pick % 7:
            self.acts.approve_ahead("bob", "partner_data", PARTNER, lasts=7200)
            request = self.acts.submit("partner", "partner_data", CROWD)
        for _ in range(times):
            self.world.advance(60 * minutes)
            owner = self.acts.owner(request, pick)
            request = self.acts.extend(owner, request, duration, repeat=repeat, plan=plan)
            STEPS["extensions"] += request is not None
            self.acts.agree(request, [None] * 4)
            self.acts.take_up(owner, request)

    @rule(
        who=THIRD_PARTIES, hours=HOURS, duration=st.sampled_from(["PT5M", "PT20M"]), plan=ISSUES,
        later=st.sampled_from([0, 300, 900]), wait=st.sampled_from([0, 1, 300]),
    )  # fmt: skip
    def be_granted_at_some_hours(
        self, *, who: str, hours: str | None, later: int, wait: int, duration: str, plan: Any
    ) -> None:
        """By a standing approval with hours alone: asked for now or for later, and taken up."""
        account = self.world.people[who].account
        self.acts.approve_ahead("bob", "second_data", account, lasts=7200, hours=hours)
        scope = {**CROWD, "duration": duration}
        request = self.acts.submit(who, "second_data", scope, later=later, plan=() if later else plan)
        self.world.advance(later + wait)
        self.acts.take_up(who, request, plan=plan)
        STEPS["at some hours"] += bool(hours) and request in self.world.requests("active")

    @rule(who=st.sampled_from(["partner", "other_partner"]), key=KEYS, scope=SCOPES, plan=ISSUES)
    def break_glass(self, who: str, key: str, scope: Any, plan: Any) -> None:
        request = self.acts.submit(who, key, scope)
        answer = self.acts.break_glass(who, request, plan=plan)
        STEPS["grants by break-glass"] += answer is not None and answer.status == 201
        path = "/security/reviews/break-glass/{}"
        self.acts.on_request("bob", "POST", path, request, {"comment": "seen"})

    @rule(pick=PICK, plan=ISSUES)
    def take_up(self, pick: int, plan: Any) -> None:
        request = self.acts.pick(pick, "approved", "issuing")
        self.acts.take_up(self.acts.owner(request, pick), request, plan=plan)

    @rule(pick=PICK, plan=PLANS)
    def release(self, pick: int, plan: Any) -> None:
        request = self.acts.pick(pick, "active")
        self.acts.on_request(
            self.acts.owner(request, pick), "DELETE", "/requests/{}/grant", request, plan=plan
        )

    @rule(pick=PICK, plan=PLANS)
    def withdraw(self, pick: int, plan: Any) -> None:
        request = self.acts.pick(pick, "pending", "approved")
        self.acts.on_request(self.acts.owner(request, pick), "DELETE", "/requests/{}", request, plan=plan)

    @rule(who=THIRD_PARTIES, pick=PICK, plan=PLANS)
    def read(self, who: str, pick: int, plan: Any) -> None:
        self.acts.on_request(who, "GET", "/requests/{}", self.acts.pick(pick), plan=plan)
        self.acts.call(who, "GET", "/requests", plan=plan)

    # ------------------------------------------------------------ the security team
    @rule(
        who=APPROVERS, pick=PICK, plan=PLANS, duration=SHORTER,
        verdict=st.sampled_from(["approve", "approve", "approve", "deny"]),
    )  # fmt: skip
    def vote(self, who: str, pick: int, verdict: str, duration: str | None, plan: Any) -> None:
        self.acts.vote(who, self.acts.pick(pick, "pending"), verdict, duration=duration, plan=plan)

    @rule(who=APPROVERS, pick=PICK, plan=PLANS)
    def revoke(self, who: str, pick: int, plan: Any) -> None:
        request = self.acts.pick(pick, "active", "approved")
        self.acts.on_request(
            who, "DELETE", "/security/requests/{}/grant", request, {"reason": "now"}, plan=plan
        )

    @rule(
        who=APPROVERS,
        key=KEYS,
        account=st.sampled_from([PARTNER, OTHER, HOME]),
        lasts=st.sampled_from([300, 3600]),
        app=st.none() | APP,
        votes=VOTERS,
        hours=HOURS,
        plan=PLANS,
    )
    def approve_ahead(
        self, *, who: str, key: str, account: str, lasts: int, app: int | None, votes: Any,
        hours: str | None, plan: Any,
    ) -> None:  # fmt: skip
        answer = self.acts.approve_ahead(who, key, account, lasts=lasts, app=app, hours=hours, plan=plan)
        if answer and answer.status == 201 and answer.body["status"] == "pending":
            path, body = f"/security/approvals/{answer.body['id']}/decision", {"verdict": "approve"}
            for voter in votes:
                self.acts.call(voter, "POST", path, body)

    @rule(who=APPROVERS, pick=PICK, active=st.booleans(), plan=PLANS)
    def withdraw_approval(self, *, who: str, pick: int, active: bool, plan: Any) -> None:
        if found := self.world.approvals():
            query = {"revoke_active": "true"} if active else {}
            self.acts.call(
                who, "DELETE", f"/security/approvals/{found[pick % len(found)]}", plan=plan, query=query
            )

    @rule(
        who=APPROVERS, key=st.none() | KEYS, account=st.sampled_from([None, PARTNER, OTHER]), pick=PICK,
        block_for=st.sampled_from(["PT1M", "PT5M", None]), again=st.booleans(), plan=PLANS,
    )  # fmt: skip
    def revoke_many(
        self, *, who: str, key: Any, account: Any, pick: int, block_for: Any, again: bool, plan: Any
    ) -> None:
        """The kill switch; a block without an end is lifted, often before its job is done."""
        grantee = self.world.grantees[pick % 8] if account is None and pick % 3 else None
        asked = {"key": key, "account": account, "grantee": grantee, "all": True, "block_for": block_for}
        headers = {"Idempotency-Key": f"{pick}"} if again else {}
        body = {**asked, "reason": "incident"}
        answer = self.acts.call(who, "POST", "/security/revocations", body, plan=plan, headers=headers)
        STEPS["mass revocations"] += answer is not None and answer.status == 202
        if answer and answer.status == 202 and block_for is None:
            self.acts.call(who, "DELETE", f"/security/revocations/{answer.body['id']}")

    @rule(who=APPROVERS, pick=PICK, plan=PLANS)
    def lift_block(self, who: str, pick: int, plan: Any) -> None:
        if found := self.world.revocations():
            self.acts.call(who, "DELETE", f"/security/revocations/{found[pick % len(found)]}", plan=plan)

    @rule(plan=RUNS)
    def revocations_run(self, plan: Any) -> None:
        self.world.run_revocations(plan=plan)

    @rule(
        voters=VOTERS, name=KEYS, plan=PLANS,
        limits=st.one_of(FENCES, st.sampled_from([{"accounts": [PARTNER]}, None])),
    )  # fmt: skip
    def change_limits(self, voters: Any, name: str, limits: Any, plan: Any) -> None:
        """Where a quorum is asked for, each sends the same document."""
        for who in voters:
            self.acts.limit(who, name, limits, plan=plan)

    # ------------------------------------------------------------ schedules and streams
    @rule(plan=st.one_of(*[st.just([])] * 3, RUNS), seconds=st.sampled_from([5, 60, 130]), near=st.booleans())
    def expiry_runs(self, *, plan: Any, seconds: int, near: bool) -> None:
        """A run; where it suffers nothing, what falls due in it is ended in its second."""
        ends = [expiry_of(grant["Name"]).timestamp() for grant in self.world.ledger.own()]
        self.world.advance(self._until(ends) if near else 0)
        expected = {} if plan else self._expected(seconds)
        crowd = len(ends) - len(expected) + len(self.world.ledger.forged)
        self.world.run_expiry(seconds, plan=plan)
        ended = {name: at for name, at in self.world.ledger.ended if name in expected}
        for place, (name, second) in enumerate(sorted(expected.items(), key=lambda pair: pair[1])):
            late = (ended[name].timestamp() if name in ended else float("inf")) - second
            STEPS["ended in their second"] += 1
            # A crowd ends at the rate.
            if late > 1 + (crowd + place) // RATE + abs(self.world.skew["expiry"].total_seconds()):
                self.world.ledger.wrong(3, f"{name} was ended {late} s late by a run that covered it")

    @rule(calls=st.integers(1, 60), near=st.booleans())
    def runs_out_of_time(self, calls: int, near: bool) -> None:  # noqa: FBT001
        """Both runs end in the middle of their work."""
        self.world.advance(self._until(self.world.dues()) if near else 0)
        self.world.note("ran out of time", 1)
        self.world.run_expiry(60, calls=calls)
        self.world.run_reconcile(calls=calls)

    @rule(plan=RUNS)
    def reconcile_runs(self, plan: Any) -> None:
        self.world.run_reconcile(plan=plan)

    @rule(
        function=st.sampled_from(["expiry", "events"]),
        repeat=st.sampled_from([0, 0, 5]),
        backwards=st.booleans(),
        plan=st.one_of(RUNS, st.lists(REFUSING, min_size=1, max_size=1)),
    )
    def stream_delivers(self, *, function: str, repeat: int, backwards: bool, plan: Any) -> None:
        waiting = len(self.world.streams.waiting(function))
        self.world.note("stream record duplicated", min(repeat, waiting))
        self.world.note("stream record out of order", waiting if backwards and waiting > 1 else 0)
        self.world.streams.deliver(function, plan=plan, repeat=repeat, backwards=backwards)

    @rule(seconds=st.sampled_from([1, 20, 61, 290]), near=st.booleans())
    def time_passes(self, *, seconds: int, near: bool) -> None:
        """Without a run: some seconds, or until shortly before the next thing is due."""
        now, seconds = self.world.now.timestamp(), max(seconds, self._until(self.world.dues()) if near else 0)
        self.world.note(
            "schedule missed or late", any(now < due <= now + seconds for due in self.world.dues())
        )
        self.world.note("stream record late", len(self.world.streams.waiting("expiry")))
        self.world.advance(seconds)

    @rule(plan=RUNS)
    def schedules_double(self, plan: Any) -> None:
        self.world.note("schedule doubled", 2)
        self.world.run_expiry(30, plan=[Fault(Kind.RACED, after=2, racer=8), *plan])
        self.world.run_reconcile(plan=[Fault(Kind.RACED, after=2, racer=9), *plan])

    # ------------------------------------------------------------ what breaks outside of calls
    @rule(
        name=KEYS, pick=PICK, seconds=st.integers(-5, 5), function=st.sampled_from(FUNCTIONS),
        what=st.sampled_from([
            "key disabled", "key pending deletion", "key policy replaced", "mended", "mended", "clock skewed",
            "clock skewed", "grantee role deleted", "grantee role recreated",
            "request table restored", "request table emptied", "both tables restored",
        ]),
    )  # fmt: skip
    def something_breaks(self, what: str, name: str, pick: int, seconds: int, function: str) -> None:
        if what.startswith("key"):
            self.world.keys.break_(name, what)
        elif what == "clock skewed":
            self.world.skew[function] = timedelta(seconds=seconds)
        elif what == "grantee role deleted" and pick < 12:
            self.world.delete_role(self.world.grantees[2 + pick % 3])
        elif what == "grantee role recreated" and pick < 12:
            self.world.recreate_role(self.world.grantees[2 + pick % 4])
        elif "table" in what and pick < 8:
            self.world.restore(None if what.endswith("emptied") else pick, both=what.startswith("both"))
        else:
            self.world.keys.mend()
            return
        self.world.note(what, 1)

    # ------------------------------------------------------------ after every step, and at the end
    @invariant()
    def holds_at_once(self) -> None:
        """What must hold always."""
        STEPS["steps"] += 1
        self.steps += 1
        self.world.remember()
        assert not (found := checks.at_once(self.world.ledger)), found

    def teardown(self) -> None:
        """With the faults lifted, the schedules bring everything to a right end."""
        STEPS["examples of 50 steps or more"] += self.steps >= 50
        STEPS["grants"] += len(self.world.ledger.made)
        assert not (found := checks.settle(self.world)), found

    def _until(self, moments: Iterable[float]) -> int:
        """Seconds until shortly before the next of these moments."""
        now = self.world.now.timestamp()
        return int(max(0, min([at for at in moments if at > now], default=now) - now - 30))

    def _expected(self, seconds: int) -> dict[str, int]:
        """Grants that a run of so many seconds must end in their second: on the agenda, never tried."""
        start, found = self.world.now.timestamp(), {}
        for grant in self.world.ledger.own():
            record, second = (
                self.world.ledger.record(request_of(grant["Name"])),
                int(expiry_of(grant["Name"]).timestamp()),
            )
            timely = (
                record.get("status") == "active"
                and record.get("due") == second
                and not record.get("attempts")
            )
            # Not what somebody has forged, nor what a deleted role was to retire.
            honest = not self.world.ledger.is_forged(grant["Name"])
            timely = timely and honest and grant["RetiringPrincipal"] == self.world.ledger.retirer
            if (
                timely
                and record["grant_id"] == grant["GrantId"]
                and start + 10 < second <= start + seconds - 10
            ):
                found[grant["Name"]] = second
        return found
