"""People are told: a partner on its own bus, and a ticket that has to stand."""

from typing import Any

from tests.local_stack import tickets
from tests.local_stack.demo.actors import Actors
from tests.local_stack.demo.steps import submission
from tests.local_stack.people import HOME, OTHER_PARTNER
from tests.support.partner_bus import PartnerBus

_WHO = "other_partner"


def people_are_told(actors: Actors) -> None:
    """A partner hears of its own requests on its own event bus; a request needs a ticket that stands"""
    bus = PartnerBus.create(actors.client(_WHO, "events"), actors.client(_WHO, "sqs"), "demo")
    bus.let_in(HOME)
    account = f"/security/accounts/{OTHER_PARTNER}"
    entry = {"name": "globex", "contact": "night desk", "event_bus": bus.arn}
    actors.api("alice", "PUT", account, entry, expect="201")
    key = f"/security/keys/{actors.key.rpartition('/')[2]}"
    actors.api("alice", "PATCH", key, {"ticket_hook": tickets.HOOK}, expect="200")
    asked = submission(actors, _WHO)
    actors.api(_WHO, "POST", "/requests", asked, expect="400 invalid_request")
    actors.api(_WHO, "POST", "/requests", {**asked, "ticket": "INC-1"}, expect="400 invalid_request")
    actors.until(lambda: _hears(actors, bus, {**asked, "ticket": "CHG-0"}), "the broker knows of the bus")
    path = f"/requests/{_submitted(actors, {**asked, 'ticket': 'CHG-1'})}"
    actors.api("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="200 approved")
    actors.api(_WHO, "DELETE", path, expect="200 withdrawn")
    heard = list[dict[str, Any]]()
    actors.until(lambda: _heard(bus, path, heard) == "withdrawn", "the bus hears")
    for event in heard:
        actors.timeline.note(f"{_WHO}'s bus hears {event['type']}: {event['next']}")
    actors.api("alice", "PATCH", key, {"ticket_hook": None}, expect="200")
    actors.api("alice", "DELETE", account, expect="204")
    bus.delete()


def _submitted(actors: Actors, asked: dict[str, Any]) -> str:
    return str(actors.api(_WHO, "POST", "/requests", asked, expect="201 pending").body["id"])


def _hears(actors: Actors, bus: PartnerBus, asked: dict[str, Any]) -> bool:
    """Whether the bus hears by now, of a request that is not told here."""
    client = actors.stack.client(_WHO)
    client.call("DELETE", f"/requests/{client.call('POST', '/requests', asked).body['id']}")
    return bool(bus.take())


def _heard(bus: PartnerBus, path: str, heard: list[dict[str, Any]]) -> str | None:
    """The type of the last event that the bus heard of a request."""
    own = (event["detail"] for event in bus.take() if path.endswith(event["detail"]["request_id"]))
    heard.extend(own)
    return str(heard[-1]["type"]) if heard else None
