"""The functions' processes, as the world has them: its database, its clock, its bus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from grant_broker.aws.clients import Clients
from grant_broker.aws.event_bus import EventBus
from grant_broker.aws.mails import MailQueue
from grant_broker.domain.accounts import AccountDocument
from grant_broker.events.announce import Channels
from grant_broker.events.directory import Directory
from grant_broker.events.partners import Partners
from grant_broker.requests.broker import RequestsBroker
from tests.local_aws import limits
from tests.local_aws.cloud import AwsCall
from tests.local_stack.brokers import AnyBroker, Brokers, in_turn
from tests.local_stack.people import OTHER_PARTNER
from tests.simulation import oracle
from tests.simulation.client import DirectDynamoDb, DirectKms, client_error
from tests.simulation.injection import Answered, Injector

if TYPE_CHECKING:
    from tests.simulation.world import World


_NONE = slice(0)


class Processes(Brokers):
    """One process of each function, on the world's database and clock."""

    def __init__(self, world: "World") -> None:
        super().__init__(world.deployment, lambda: world.now, lambda _: None)
        self.world = world

    def _make(self, function: str) -> AnyBroker:
        world, credentials = self.world, self.deployment.credentials(function)
        session = self.deployment.cloud.session(credentials)

        def sleep(seconds: float) -> None:
            world.sleep(function, seconds)

        aws = _DirectClients(session.client)
        aws.database = DirectDynamoDb(world.database, world.injector, credentials.arn, sleep)
        aws.keys = lambda region: DirectKms(partial(world.kms_answer, credentials, region))
        aws.hooks = world.hooks
        made = self.composed(function, aws, sleep)
        if isinstance(made, RequestsBroker):
            made = replace(made, settings=made.settings.model_copy(update={"end_rate": oracle.ISSUE_RATE}))
        made = replace(
            made,
            clock=lambda: world.now + world.skew[function],
            new_id=world.new_id,
            sleep=sleep,
            measure=partial(world.measured, function),
        )
        return in_turn(made)

    def let_go_on(self, *, unchecked: bool) -> None:
        """Set whether a request goes on whose ticket cannot be checked."""
        made, failure = self.broker("requests"), "open" if unchecked else "closed"
        settings = made.settings.model_copy(update={"ticket_hook_failure": failure})
        self._made["requests"] = replace(made, settings=settings)

    def handler(self, function: str) -> ModuleType:
        """The function's handler; `events` tells the world's bus and mailbox."""
        module = super().handler(function)
        if function == "events":
            bus: Any = self.world.bus
            events, mails = EventBus(bus, lambda _: None), MailQueue(bus, "queue")
            accounts, measure = Directory(_named, self._seconds), partial(self.world.measured, function)
            partners = Partners(events, accounts, mails, measure, self._seconds)
            told = partial(Channels.of, events, mails, partners)
            module.channels = told  # type: ignore[attr-defined]
        return module

    def _seconds(self) -> float:
        return self.world.now.timestamp()


def _named(account: str) -> AccountDocument | None:
    """What is said of an account: each has a bus of its own, but for one that nobody has named."""
    if account == OTHER_PARTNER:
        return None
    bus = f"arn:aws:events:eu-central-1:{account}:event-bus/grants"
    return AccountDocument(account=account, name="acme", event_bus=bus)


class _DirectClients(Clients):
    """Clients that answer without botocore."""

    database: Any
    keys: Any
    hooks: Any

    def kms(self, region: str) -> Any:
        """KMS of a Region past the wire."""
        return self.keys(region)

    def reading_kms(self, region: str) -> Any:
        """KMS of a Region past the wire."""
        return self.keys(region)

    def ticket_hooks(self) -> Any:
        """Lambda past the wire."""
        return self.hooks

    def dynamodb(self) -> Any:
        """The database past the wire."""
        return self.database


@dataclass
class Bus:
    """EventBridge and the mails' queue: what they took, once the injector let it through."""

    injector: Injector
    events: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    partners: list[tuple[str, str]] = field(default_factory=list)
    """What partners' buses took: the bus and the event."""

    def forget(self) -> None:
        """A new example."""
        self.events.clear()
        self.partners.clear()
        self.mails.clear()

    def put_events(self, **given: Any) -> Any:
        """PutEvents."""
        return self._called("PutEvents", given)

    def send_message_batch(self, **given: Any) -> Any:
        """SendMessageBatch."""
        return self._called("SendMessageBatch", given)

    def take(self, operation: str, entries: Sequence[Mapping[str, Any]], refused: slice = _NONE) -> Any:
        """What a call does: takes its entries, but for those that are refused one by one."""
        limits.check("events" if operation == "PutEvents" else "sqs", operation, {"Entries": entries})
        out = range(len(entries))[refused]
        taken = [entry for place, entry in enumerate(entries) if place not in out]
        if operation == "PutEvents":
            self.events += [entry["Detail"] for entry in taken if "EventBusName" not in entry]
            elsewhere = [entry for entry in taken if "EventBusName" in entry]
            self.partners += [(entry["EventBusName"], entry["Detail"]) for entry in elsewhere]
            told = [{"ErrorCode": "ThrottlingException"} if n in out else {} for n in range(len(entries))]
            return {"FailedEntryCount": len(out), "Entries": told}
        self.mails += [entry["MessageBody"] for entry in taken]
        failed = [{"Id": entries[place]["Id"], "Code": "InternalError"} for place in out]
        return {"Successful": [{"Id": entry["Id"]} for entry in taken], "Failed": failed}

    def _called(self, operation: str, given: dict[str, Any]) -> Any:
        call = AwsCall("events", operation, given, "events")
        try:
            return self.injector.call(call, lambda: self.take(operation, given["Entries"]))
        except Answered as answered:
            raise client_error(operation, answered.code, status=answered.status) from answered
