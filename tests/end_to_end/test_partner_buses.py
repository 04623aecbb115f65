"""A partner hears of its own requests on its own bus, and whatever its bus does is its own affair."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from grant_broker.api.openapi.partner_events import text
from tests.end_to_end.conftest import Running
from tests.local_stack.people import HOME, OTHER_PARTNER
from tests.support.partner_bus import PartnerBus

WHO = "other_partner"
PATH = f"/security/accounts/{OTHER_PARTNER}"
_PATIENCE = 30


@pytest.fixture
def bus(stack: Running) -> Iterator[PartnerBus]:
    """The other partner's bus, of which the security team knows and which lets the broker in."""
    made = PartnerBus.create(stack.aws(WHO, "events"), stack.aws(WHO, "sqs"), "grants")
    made.let_in(HOME)
    entry = {"name": "globex", "contact": "night desk", "event_bus": made.arn}
    assert stack.call("alice", "PUT", PATH, entry).status == 201
    yield made
    made.delete()
    assert stack.call("alice", "DELETE", PATH).status == 204


def _submitted(stack: Running, who: str = WHO) -> str:
    answer = stack.call(who, "POST", "/requests", stack.submission(who, encryption_context={"told": who}))
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


def _heard(bus: PartnerBus, request_id: str, last: str) -> list[dict[str, Any]]:
    """What the bus heard of a request, up to an event of this type."""
    deadline, found = time.monotonic() + _PATIENCE, list[dict[str, Any]]()
    while last not in [event["detail-type"] for event in found]:
        assert time.monotonic() < deadline, f"{last} never came: {found}"
        found += [event for event in bus.take() if event["detail"]["request_id"] == request_id]
        time.sleep(0.05)
    return found


def _known(stack: Running, bus: PartnerBus) -> None:
    """The function that tells knows of the bus: what it read before holds for some seconds."""
    deadline = time.monotonic() + _PATIENCE
    while not bus.take():
        assert time.monotonic() < deadline
        assert stack.call(WHO, "DELETE", f"/requests/{_submitted(stack, WHO)}").status == 200
        time.sleep(0.3)


def test_a_life_as_its_account_hears_of_it(stack: Running, bus: PartnerBus) -> None:
    """Its own events, in the published form, with what to do next; no token, and nothing of others."""
    _known(stack, bus)
    theirs = _submitted(stack, "partner")
    request_id = _submitted(stack)
    decision = {"verdict": "approve", "comment": "fine, for once"}
    stack.call("alice", "POST", f"/security/requests/{request_id}/decision", decision)
    taken = stack.call(WHO, "POST", f"/requests/{request_id}/grant")
    assert taken.status == 201
    assert stack.call(WHO, "DELETE", f"/requests/{request_id}/grant").status == 202
    heard = _heard(bus, request_id, "released")
    assert [event["detail-type"] for event in heard] == [
        "submitted", "approved", "active", "ending", "released",
    ]  # fmt: skip
    validator = Draft202012Validator(json.loads(text()))
    for event in heard:
        validator.validate(event["detail"])
        assert (event["source"], event["account"], event["detail"]["account"]) == (
            "grant-broker",
            HOME,
            OTHER_PARTNER,
        )
        assert event["detail"]["next"]
        assert taken.body["grant"]["grant_token"] not in json.dumps(event)
    assert heard[1]["detail"]["detail"]["comment"] == "fine, for once"
    assert heard[2]["detail"]["detail"]["expires_at"] == taken.body["expires_at"]
    assert stack.call("partner", "DELETE", f"/requests/{theirs}").status == 200
    assert not any(event["detail"]["account"] != OTHER_PARTNER for event in bus.take())


def test_a_bus_that_shuts_the_broker_out(stack: Running, bus: PartnerBus) -> None:
    """The trail goes on, and so do the requests; once the bus lets it in again it hears of what is new."""
    _known(stack, bus)
    bus.shut()
    request_id = _submitted(stack)
    assert stack.call(WHO, "DELETE", f"/requests/{request_id}").status == 200
    found = stack.call("alice", "GET", f"/security/requests/{request_id}").body
    assert [event["type"] for event in found["trail"]] == ["submitted", "withdrawn"]
    assert [event for event in bus.take() if event["detail"]["request_id"] == request_id] == []
