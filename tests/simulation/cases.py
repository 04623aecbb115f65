"""Every use case on a prepared world, for the sweep that kills it after each of its AWS calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulation.acts import Acts
from tests.simulation.injection import Fault, Kind
from tests.simulation.scenes import SCOPE, Scene
from tests.simulation.world import PARTNER

Plan = Sequence[Fault]
Act = Callable[[Scene, Plan], Any]


@dataclass(frozen=True)
class Case:
    """A use case; `ends` are the final statuses that its request may come to, whenever it was killed."""

    name: str
    prepare: Callable[[Scene], Any]
    act: Act
    ends: frozenset[str]


def _case(name: str, prepare: Callable[[Scene], Any], act: Act, *ends: str) -> Case:
    return Case(name, prepare, act, frozenset(ends))


def _nothing(_scene: Scene) -> None:
    """A use case that needs nothing before it."""


def _expiry(scene: Scene, plan: Plan) -> None:
    scene.world.run_expiry(30, plan=plan)


def _reconcile(scene: Scene, plan: Plan) -> None:
    scene.world.run_reconcile(plan=plan)


def _deliver(function: str) -> Act:
    return lambda scene, plan: scene.world.streams.deliver(function, plan=plan)


def _third_party(method: str, path: str) -> Act:
    def act(scene: Scene, plan: Plan) -> Any:
        return scene.acts.on_request("partner", method, path, scene.request, plan=plan)

    return act


def _revoke(scene: Scene, plan: Plan) -> Any:
    path = "/security/requests/{}/grant"
    return scene.acts.on_request("alice", "DELETE", path, scene.request, {"reason": "now"}, plan=plan)


def _vote(verdict: str) -> Act:
    return lambda scene, plan: scene.acts.vote("alice", scene.request, verdict, plan=plan)


def _submit(key: str) -> Act:
    return lambda scene, plan: scene.acts.submit("partner", key, SCOPE, plan=plan)


def _approve_ahead(scene: Scene, plan: Plan = ()) -> Any:
    return Acts.approve_ahead(scene.acts, "alice", "partner_data", PARTNER, lasts=3600, plan=plan)


def _withdraw_approval(scene: Scene, plan: Plan) -> Any:
    [approval] = scene.world.approvals()
    path = f"/security/approvals/{approval}"
    return scene.acts.call("bob", "DELETE", path, plan=plan, query={"revoke_active": "true"})


def _limits(limits: Any) -> Act:
    return lambda scene, plan: scene.acts.limit("alice", "second_data", limits, plan=plan)


def _takes_up_but(kind: Kind) -> Callable[[Scene], None]:
    def prepare(scene: Scene) -> None:
        scene.approved()
        scene.take_up(Fault(kind, operation="CreateGrant"))
        scene.world.advance(301)

    return prepare


def _released(scene: Scene) -> None:
    scene.active()
    scene.acts.on_request("partner", "DELETE", "/requests/{}/grant", scene.request)


_take_up = _third_party("POST", "/requests/{}/grant")
CASES = (
    _case("submit, pending", _nothing, _submit("second_data"), "lapsed"),
    _case("submit, granted at once", _approve_ahead, _submit("partner_data"), "lapsed", "failed", "expired"),
    _case("vote to approve", Scene.pending, _vote("approve"), "lapsed"),
    _case("vote to deny", Scene.pending, _vote("deny"), "lapsed", "denied"),
    _case("take up", Scene.approved, _take_up, "lapsed", "failed", "expired"),
    _case("release", Scene.active, _third_party("DELETE", "/requests/{}/grant"), "expired", "released"),
    _case("withdraw", Scene.pending, _third_party("DELETE", "/requests/{}"), "lapsed", "withdrawn"),
    _case("revoke a grant", Scene.active, _revoke, "expired", "revoked"),
    _case("revoke an approved request", Scene.approved, _revoke, "lapsed", "revoked"),
    _case("approve ahead", _nothing, _approve_ahead),
    _case("withdraw a standing approval", Scene.active_ahead, _withdraw_approval, "expired", "revoked"),
    _case("change a key's limits", Scene.active, _limits({"quorum": 2}), "expired"),
    _case("close a key", Scene.active, _limits(None), "expired"),
    _case("lapse", lambda scene: scene.pending().advance(3590), _expiry, "lapsed"),
    _case("settle, the grant is there", _takes_up_but(Kind.DIED_AFTER), _expiry, "expired"),
    _case("settle, there is no grant", _takes_up_but(Kind.DIED_BEFORE), _expiry, "failed"),
    _case("end at expiry", lambda scene: scene.active().advance(1190), _expiry, "expired"),
    _case("end from the stream", _released, _deliver("expiry"), "released"),
    _case("confirm a late duplicate", Scene.late, _expiry, "failed"),
    _case("adopt a grant without a record", lambda scene: scene.active().emptied(), _reconcile, "expired"),
    _case("resume after a restore", Scene.restored_to_approved, _reconcile, "expired"),
    _case("end an uncovered grant", Scene.planted, _reconcile, "revoked", "expired"),
    _case("close a vanished grant's record", Scene.vanished, _reconcile, "revoked"),
    _case("announce events", Scene.active, _deliver("events"), "expired"),
)  # fmt: skip
