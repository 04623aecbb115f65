"""Partners' buses with the rights of the function's own role on the strict local AWS: both sides decide."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.aws.clients import Clients
from grant_broker.aws.items import item_of
from grant_broker.events.settings import EventsSettings
from tests.local_stack.people import HOME, OTHER_PARTNER, PARTNER
from tests.support.announcements import event
from tests.support.context import Context
from tests.support.environments import load_handler
from tests.support.partner_bus import PartnerBus
from tests.support.scene import InProcessStack

handler = load_handler("events")


@pytest.fixture(scope="module")
def deployed() -> Iterator[InProcessStack]:
    """The template, deployed."""
    yield InProcessStack.deploy()
    moto_api_backend.reset()


@pytest.fixture
def measured(deployed: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, float]]]:
    """What the handler measures; it has its role's credentials and its environment."""
    found: list[tuple[str, float]] = []
    deployed.reset()
    stack = deployed.deployment
    aws = Clients(stack.cloud.session(stack.credentials("events")).client)
    monkeypatch.setattr(handler, "clients", lambda: aws)
    monkeypatch.setattr(handler, "settings", EventsSettings.from_environment(stack.environment("events")))
    monkeypatch.setattr(handler, "measure", lambda name, value: found.append((name, value)))
    handler.channels.cache_clear()
    role = stack.cloud.directory.principals[stack.functions["events"].role]
    attached = dict(role.attached)
    yield found
    for arn, document in attached.items():
        role.attach(arn, document)
    handler.channels.cache_clear()


@pytest.fixture
def bus(deployed: InProcessStack) -> Iterator[PartnerBus]:
    """The partner's bus, named by the security team."""
    session = deployed.cloud.session(deployed.credentials("partner"))
    made = PartnerBus.create(session.client("events"), session.client("sqs"), "grants")
    assert deployed.call("alice", "PUT", f"/security/accounts/{PARTNER}", _entry(made.arn)).status == 201
    yield made
    made.delete()


def _entry(bus_arn: str) -> dict[str, Any]:
    return {"name": "acme", "contact": None, "event_bus": bus_arn}


def _announced(account: str = PARTNER) -> bool:
    image = item_of(event(account=account))
    record = {"eventID": "1", "dynamodb": {"SequenceNumber": "1", "NewImage": image}}
    return bool(handler.lambda_handler({"Records": [record]}, Context()) == {"batchItemFailures": []})


def test_where_both_sides_allow_it(measured: list[tuple[str, float]], bus: PartnerBus) -> None:
    """The role's policy, for trusted accounts, and the bus's own, for this account: then it is told."""
    bus.let_in(HOME)
    assert _announced()
    [told] = bus.take()
    assert (told["source"], told["detail-type"], told["account"]) == ("grant-broker", "active", HOME)
    assert told["detail"]["account"] == PARTNER
    assert measured == []


def test_without_the_bus_s_own_policy(measured: list[tuple[str, float]], bus: PartnerBus) -> None:
    """It is not told, that is counted, and the stream goes on."""
    assert _announced()
    assert (bus.take(), measured) == ([], [("PartnerEventsLost", 1)])


def test_a_policy_for_somebody_else(measured: list[tuple[str, float]], bus: PartnerBus) -> None:
    """A bus that lets another account in does not let this one in."""
    bus.let_in("777788889999")
    assert _announced()
    assert (bus.take(), measured) == ([], [("PartnerEventsLost", 1)])


def test_without_the_role_s_own_right(
    deployed: InProcessStack, measured: list[tuple[str, float]], bus: PartnerBus
) -> None:
    """Neither may tell without the role's policy, nor read who is to be told."""
    bus.let_in(HOME)
    stack = deployed.deployment
    role = stack.cloud.directory.principals[stack.functions["events"].role]
    for arn in list(role.attached):
        role.remove(arn)
    assert _announced()
    assert (bus.take(), measured) == ([], [("PartnerEventsLost", 1)])


def test_another_partner_s_event(measured: list[tuple[str, float]], bus: PartnerBus) -> None:
    """An account that nobody named hears nothing, and nobody hears it in its place."""
    bus.let_in(HOME)
    assert _announced(OTHER_PARTNER)
    assert (bus.take(), measured) == ([], [])
