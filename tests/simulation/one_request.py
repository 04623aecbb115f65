"""Worlds prepared for one request of `partner` on `second_data`."""

from typing import Self

from tests.simulation.acts import Acts
from tests.simulation.injection import Fault, Kind
from tests.simulation.world import PARTNER, World

SCOPE = {
    "operations": ["Encrypt"], "encryption_context": {"tenant": "a"}, "context_match": "equals",
    "duration": "PT20M",
}  # fmt: skip


class OneRequest:
    """One request, brought to where a use case begins."""

    def __init__(self, world: World) -> None:
        self.world, self.acts = world, Acts(world)
        self.request: str | None = None

    def pending(self) -> Self:
        """Submitted."""
        self.request = self.acts.submit("partner", "second_data", SCOPE)
        return self

    def armed(self) -> Self:
        """Submitted on a key whose break-glass names the partner."""
        self.acts.limit("alice", "second_data", {"break_glass": ["partner"]})
        return self.pending()

    def broken(self) -> Self:
        """Granted by break-glass."""
        self.acts.break_glass("partner", self.armed().request)
        return self

    def approved(self) -> Self:
        """Approved by alice."""
        self.acts.vote("alice", self.pending().request, "approve")
        return self

    def take_up(self, *plan: Fault) -> Self:
        """Taken up, with faults."""
        self.acts.take_up("partner", self.request, plan=plan)
        return self

    def active(self) -> Self:
        """Granted."""
        return self.approved().take_up()

    def active_ahead(self) -> Self:
        """Granted by a standing approval."""
        self.acts.approve_ahead("alice", "partner_data", PARTNER, lasts=3600)
        self.request = self.acts.submit("partner", "partner_data", SCOPE)
        return self

    def advance(self, seconds: int) -> Self:
        """Let time pass."""
        self.world.advance(seconds)
        return self

    def emptied(self) -> Self:
        """The request table is empty."""
        self.world.restore(None)
        return self

    def late(self) -> Self:
        """KMS carries CreateGrant out after the record was closed for want of a grant; `confirm` is due."""
        self.approved().take_up(Fault(Kind.ZOMBIE, lasting=True, racer=7))
        return self.advance(61).run(360).advance(225)

    def run(self, seconds: int) -> Self:
        """A run of expiry, long enough to settle what has no grant."""
        while seconds > 0:
            self.world.run_expiry(min(seconds, 120))
            seconds -= 120
        return self

    def restored_to_approved(self) -> Self:
        """Granted, and the request table restored to before."""
        self.approved().world.remember()
        self.take_up().world.restore(-1)
        return self

    def planted(self) -> Self:
        """A taken-over function made a well-named grant that nobody approved."""
        world, name = self.world, f"grant-broker/{'f' * 32}/{int(self.world.now.timestamp()) + 1200}"
        world.ledger.planted.add(name)
        world.cloud.kms_of(world.keys.arns["second_data"]).handle(
            world.deployment.credentials("requests"), "CreateGrant",
            {
                "KeyId": world.keys.arns["second_data"], "GranteePrincipal": world.grantees[0],
                "RetiringPrincipal": world.processes.broker("requests").settings.retiring_principal,
                "Operations": ["Encrypt"], "Constraints": {"EncryptionContextEquals": {"tenant": "b"}},
                "Name": name,
            },
        )  # fmt: skip
        return self

    def vanished(self) -> Self:
        """The grant was ended outside of the broker, and reconcile has missed it once."""
        self.active().world.keys.end_grants("grant-broker/")
        self.advance(400).world.run_reconcile()
        return self.advance(300)
