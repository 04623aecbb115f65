"""Every use case on a prepared world, for the sweep that kills it after each of its AWS calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulation.acts import Acts
from tests.simulation.injection import Fault, Kind
from tests.simulation.one_request import SCOPE, OneRequest
from tests.simulation.oracle import TOO_MANY
from tests.simulation.world import PARTNER

Plan = Sequence[Fault]
Act = Callable[[OneRequest, Plan], Any]


@dataclass(frozen=True)
class Case:
    """A use case; `ends` are the final statuses that its request may come to, whenever it was killed."""

    name: str
    prepare: Callable[[OneRequest], Any]
    act: Act
    ends: frozenset[str]


def _case(name: str, prepare: Callable[[OneRequest], Any], act: Act, *ends: str) -> Case:
    return Case(name, prepare, act, frozenset(ends))


def _nothing(_scene: OneRequest) -> None:
    """A use case that needs nothing before it."""


def _expiry(one: OneRequest, plan: Plan) -> None:
    one.world.run_expiry(30, plan=plan)


def _reconcile(one: OneRequest, plan: Plan) -> None:
    one.world.run_reconcile(plan=plan)


def _deliver(function: str) -> Act:
    return lambda one, plan: one.world.streams.deliver(function, plan=plan)


def _third_party(method: str, path: str) -> Act:
    def act(one: OneRequest, plan: Plan) -> Any:
        return one.acts.on_request("partner", method, path, one.request, plan=plan)

    return act


def _revoke(one: OneRequest, plan: Plan) -> Any:
    path = "/security/requests/{}/grant"
    return one.acts.on_request("alice", "DELETE", path, one.request, {"reason": "now"}, plan=plan)


def _break_glass(one: OneRequest, plan: Plan) -> Any:
    return one.acts.break_glass("partner", one.request, plan=plan)


def _sign_off(one: OneRequest, plan: Plan) -> Any:
    path = "/security/reviews/break-glass/{}"
    return one.acts.on_request("bob", "POST", path, one.request, {"comment": "seen"}, plan=plan)


def _vote(verdict: str) -> Act:
    return lambda one, plan: one.acts.vote("alice", one.request, verdict, plan=plan)


def _submit(key: str) -> Act:
    return lambda one, plan: one.acts.submit("partner", key, SCOPE, plan=plan)


def _extend(one: OneRequest, plan: Plan) -> Any:
    return one.acts.extend("partner", one.request, "PT20M", plan=plan)


def _extended_by_people(one: OneRequest) -> None:
    """The request is the extension, approved and not taken up yet, of a grant that lives."""
    one.active().advance(600)
    one.request = one.acts.extend("partner", one.request, "PT20M")
    one.acts.vote("alice", one.request, "approve")


def _approve_ahead(one: OneRequest, plan: Plan = ()) -> Any:
    return Acts.approve_ahead(one.acts, "alice", "partner_data", PARTNER, lasts=3600, plan=plan)


def _withdraw_approval(one: OneRequest, plan: Plan) -> Any:
    [approval] = one.world.approvals()
    path = f"/security/approvals/{approval}"
    return one.acts.call("bob", "DELETE", path, plan=plan, query={"revoke_active": "true"})


def _kill(one: OneRequest, plan: Plan = ()) -> Any:
    asked = {"account": PARTNER, "reason": "incident", "block_for": "PT10M"}
    return one.acts.call("bob", "POST", "/security/revocations", asked, plan=plan)


def _killed_only(one: OneRequest) -> None:
    """The block and the job are stored, and nothing of the job is done: whoever pulled the switch died."""
    _kill(one.active(), [Fault(Kind.DIED_AFTER, operation="TransactWriteItems")])


def _in_flight(one: OneRequest) -> None:
    """A job's first sweep is done, and then a grant turns up that was on its way: a restored record's."""
    one.active().world.remember()
    _kill(one)
    one.world.restore(-1)
    one.world.advance(61)


def _revocations(one: OneRequest, plan: Plan) -> Any:
    return one.world.run_revocations(plan=plan)


def _name_account(one: OneRequest, plan: Plan) -> Any:
    entry = {"name": "acme", "contact": "night desk"}
    return one.acts.call("alice", "PUT", f"/security/accounts/{PARTNER}", entry, plan=plan)


def _lift(one: OneRequest, plan: Plan) -> Any:
    [revocation] = one.world.revocations()
    return one.acts.call("bob", "DELETE", f"/security/revocations/{revocation}", plan=plan)


def _limits(limits: Any) -> Act:
    return lambda one, plan: one.acts.limit("alice", "second_data", limits, plan=plan)


def _takes_up_but(kind: Kind) -> Callable[[OneRequest], None]:
    def prepare(one: OneRequest) -> None:
        one.approved()
        one.take_up(Fault(kind, operation="CreateGrant"))
        one.world.advance(301)

    return prepare


def _released(one: OneRequest) -> None:
    one.active()
    one.acts.on_request("partner", "DELETE", "/requests/{}/grant", one.request)


def _approved_and_crowded(one: OneRequest) -> None:
    """As many grants of the Region as can be ended on time end in the second in which one more would."""
    one.approved().acts.approve_ahead("alice", "second_data", PARTNER, lasts=3600)
    for number in range(TOO_MANY - 2):
        one.acts.submit("partner", "second_data", SCOPE, app=number)


_take_up = _third_party("POST", "/requests/{}/grant")
CASES = (
    _case("submit, pending", _nothing, _submit("second_data"), "lapsed"),
    _case("submit, granted at once", _approve_ahead, _submit("partner_data"), "lapsed", "failed", "expired"),
    _case(
        "submit, granted within its window",
        lambda one: one.acts.approve_ahead("alice", "partner_data", PARTNER, lasts=3600, hours="00:00-00:30"),
        _submit("partner_data"),
        "lapsed", "failed", "expired",
    ),
    _case("vote to approve", OneRequest.pending, _vote("approve"), "lapsed"),
    _case("vote to deny", OneRequest.pending, _vote("deny"), "lapsed", "denied"),
    _case("take up", OneRequest.approved, _take_up, "lapsed", "failed", "expired"),
    _case("take up into a crowd", _approved_and_crowded, _take_up, "lapsed", "expired"),
    _case("extend, pending", lambda one: one.active().advance(600), _extend, "expired", "lapsed"),
    _case(
        "extend, granted at once",
        lambda one: one.active_ahead().advance(600),
        _extend,
        "lapsed", "failed", "expired",
    ),
    _case("take up an extension", _extended_by_people, _take_up, "lapsed", "failed", "expired"),
    _case("release", OneRequest.active, _third_party("DELETE", "/requests/{}/grant"), "expired", "released"),
    _case("withdraw", OneRequest.pending, _third_party("DELETE", "/requests/{}"), "lapsed", "withdrawn"),
    _case("revoke a grant", OneRequest.active, _revoke, "expired", "revoked"),
    _case("revoke an approved request", OneRequest.approved, _revoke, "lapsed", "revoked"),
    _case("break the glass", OneRequest.armed, _break_glass, "lapsed", "failed", "expired"),
    _case("sign a review off", OneRequest.broken, _sign_off, "expired"),
    _case("approve ahead", _nothing, _approve_ahead),
    _case("withdraw a standing approval", OneRequest.active_ahead, _withdraw_approval, "expired", "revoked"),
    _case("pull the kill switch on a grant", OneRequest.active, _kill, "expired", "revoked"),
    _case("pull the kill switch on what waits", OneRequest.pending, _kill, "lapsed", "revoked"),
    _case("go on with a revocation", _killed_only, _revocations, "revoked"),
    _case("sweep again for what was in flight", _in_flight, _revocations, "revoked"),
    _case("lift a block", _killed_only, _lift, "revoked"),
    _case("change a key's limits", OneRequest.active, _limits({"quorum": 2}), "expired"),
    _case("close a key", OneRequest.active, _limits(None), "expired"),
    _case("name an account", _nothing, _name_account),
    _case("remind of a lapse", lambda one: one.pending().advance(2800), _reconcile, "lapsed"),
    _case("remind of an end", lambda one: one.active().advance(660), _reconcile, "expired"),
    _case("lapse", lambda one: one.pending().advance(3590), _expiry, "lapsed"),
    _case("settle, the grant is there", _takes_up_but(Kind.DIED_AFTER), _expiry, "expired"),
    _case("settle, there is no grant", _takes_up_but(Kind.DIED_BEFORE), _expiry, "failed"),
    _case("end at expiry", lambda one: one.active().advance(1190), _expiry, "expired"),
    _case("end from the stream", _released, _deliver("expiry"), "released"),
    _case("confirm a late duplicate", OneRequest.late, _expiry, "failed"),
    _case("adopt a grant without a record", lambda one: one.active().emptied(), _reconcile, "expired"),
    _case("resume after a restore", OneRequest.restored_to_approved, _reconcile, "expired"),
    _case("end an uncovered grant", OneRequest.planted, _reconcile, "revoked", "expired"),
    _case("close a vanished grant's record", OneRequest.vanished, _reconcile, "revoked"),
    _case("announce events", OneRequest.active, _deliver("events"), "expired"),
)  # fmt: skip
