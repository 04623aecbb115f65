"""`grant-broker replay`: publish audit events to EventBridge again, after a failure or for a new consumer."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeAlias

import click
from pydantic import ValidationError

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.event_bus import Entry, EventBus, entry_of
from grant_broker.aws.store import Store
from grant_broker.client.arguments import TIME
from grant_broker.client.aws_session import clients
from grant_broker.client.failures import AWS_FAILURES, NOT_DONE, report_failure
from grant_broker.client.printing import printable
from grant_broker.client.stack import read_facts, stack_options
from grant_broker.domain.arns import account_of
from grant_broker.domain.times import parse_time
from grant_broker.domain.trail import Event
from grant_broker.events.announce import replay
from grant_broker.events.partners import partner_entries
from grant_broker.events.trail import events_between

Span: TypeAlias = tuple[datetime | None, datetime | None]
# The stream says when a change arrived, an event when it happened: shortly before.
_BEFORE, _AFTER = timedelta(minutes=5), timedelta(seconds=5)


@click.command("replay")
@stack_options("request_table")
@click.option("--since", type=TIME, help="From this RFC 3339 time on.")
@click.option("--until", type=TIME, help="Up to, without, this RFC 3339 time.")
@click.option("--account", help="Only this account's own requests' events, as its own bus is told of them.")
@click.option("--event-bus", metavar="ARN", help="The account's bus.")
@click.option(
    "--failures",
    type=click.Path(path_type=Path),
    help="Messages of the on-failure destination, one JSON object a line.",
)
def command(
    *,
    stack: str | None,
    request_table: str | None,
    since: datetime | None,
    until: datetime | None,
    account: str | None,
    event_bus: str | None,
    failures: Path | None,
) -> int:
    """Publish audit events to EventBridge again, after a failure or for a new consumer.

    With --account and --event-bus they go to a partner's bus, in the form that partners are told them.

    Exit code 1 where EventBridge did not take every event, 2 where it could not be tried.
    """
    try:
        spans = _spans(since, until, failures)
        entries_of = _entries_for(account, event_bus)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot read what to replay: {printable(str(error))}", file=sys.stderr)
        return NOT_DONE
    try:
        table = read_facts(stack, {"request_table": request_table}, clients)
        store = Store(DynamoDb(clients().dynamodb()), request_table=table["request_table"])
        sent, failed = replay(EventBus(clients().events()), entries_of(_events(store, spans)))
    except (ValidationError, *AWS_FAILURES) as error:
        return report_failure("replay", error)
    for event in failed:
        print(f"not taken: {event.subject!a} event {event.sequence}", file=sys.stderr)
    print(f"{sent} events published, {len(failed)} not")
    return 1 if failed else 0


def _entries_for(account: str | None, event_bus: str | None) -> Callable[[Iterable[Event]], Iterable[Entry]]:
    """What makes entries of events: for the stack's own bus, or for a partner's."""
    if account is None and event_bus is None:
        return partial(map, entry_of)
    if account is None or event_bus is None or account_of(event_bus) != account:
        raise ValueError("give --account and --event-bus together: a bus of that account")
    return partial(partner_entries, account, event_bus)


def _events(store: Store, spans: list[Span]) -> Iterator[Event]:
    seen: set[str] = set()
    for since, until in spans:
        for event in events_between(store, since, until):
            if event.hash not in seen:
                seen.add(event.hash)
                yield event


def _spans(since: datetime | None, until: datetime | None, failures: Path | None) -> list[Span]:
    if failures and not since:
        return [_span(line) for line in failures.read_text("utf-8").splitlines() if line.strip()]
    if since and not failures:
        return [(since, until)]
    raise ValueError("give either --since or --failures")


def _span(message: str) -> Span:
    # A stream's on-failure message names the records, and does not hold them.
    batch = json.loads(message)["DDBStreamBatchInfo"]
    first = parse_time(batch["approximateArrivalOfFirstRecord"])
    last = parse_time(batch["approximateArrivalOfLastRecord"])
    return first - _BEFORE, last + _AFTER
