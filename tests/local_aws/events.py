"""EventBridge across accounts: PutEvents to another account's bus, whose own policy must allow it too."""

import json
import time
import uuid
from typing import Any

from moto.events.models import EventBus, events_backends

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.authority import Authority
from tests.local_aws.identities import Credentials

_FIELDS = 6


def names_another_account(entry: dict[str, Any], account: str) -> bool:
    """Whether an entry names the bus of another account than its caller's."""
    parts = str(entry.get("EventBusName", "")).split(":")
    return len(parts) == _FIELDS and parts[4] != account


class Events:
    """What moto's PutEvents leaves out: it looks for every bus in the caller's own account."""

    def __init__(self, authority: Authority, region: str) -> None:
        self._authority, self._region = authority, region

    def put_elsewhere(self, caller: Credentials, entries: list[dict[str, Any]]) -> Response:
        """PutEvents where every entry names a bus of another account. Raises AwsError.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html: the bus's policy
        allows PutEvents from another account. Readings, unconfirmed: one bus that is not let through refuses
        the whole call, as for any action whose resource a request names; a bus that does not exist has no
        policy, and looks the same; `account` is the sender's.
        """
        buses = [self._bus(caller, str(entry["EventBusName"])) for entry in entries]
        answers = [
            {"EventId": self._deliver(caller, bus, entry)} for bus, entry in zip(buses, entries, strict=True)
        ]
        return ok({"FailedEntryCount": 0, "Entries": answers})

    def _bus(self, caller: Credentials, arn: str) -> EventBus | None:
        region, account, name = arn.split(":")[3], arn.split(":")[4], arn.partition("event-bus/")[2]
        bus = events_backends[account][self._region].event_buses.get(name) if region == self._region else None
        policy = json.loads(bus.policy) if bus and bus.policy else None
        self._authority.require(caller, "events:PutEvents", arn, resource_policy=policy)
        return bus

    def _deliver(self, caller: Credentials, bus: EventBus | None, entry: dict[str, Any]) -> str:
        if bus is None:
            raise AwsError("ResourceNotFoundException", "The event bus does not exist.")
        message: Any = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": caller.account,
            "time": entry.get("Time", time.time()),
            "region": self._region,
            "resources": entry.get("Resources", []),
            "detail": json.loads(entry["Detail"]),
        }
        for rule in bus.rules.values():
            # Whole: moto's template of a target without one leaves fields out.
            rule.send_to_targets(message, transform_input=False)
        return str(message["id"])
