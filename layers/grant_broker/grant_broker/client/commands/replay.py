"""`grant-broker replay`: publish audit events to EventBridge again, after a failure or for a new consumer."""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from pydantic import ValidationError

from grant_broker.aws.clients import clients
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.event_bus import EventBus
from grant_broker.aws.store import Store
from grant_broker.client.failures import AWS_FAILURES, NOT_DONE, report_failure
from grant_broker.client.printing import printable
from grant_broker.domain.times import parse_time
from grant_broker.domain.trail import Event
from grant_broker.events.announce import replay
from grant_broker.events.trail import events_between

Span: TypeAlias = tuple[datetime | None, datetime | None]
# The stream says when a change arrived, an event when it happened: shortly before.
_BEFORE, _AFTER = timedelta(minutes=5), timedelta(seconds=5)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--table", required=True, help="the request table")
    parser.add_argument("--since", type=_time, help="from this RFC 3339 time on")
    parser.add_argument("--until", type=_time, help="up to, without, this RFC 3339 time")
    parser.add_argument(
        "--failures", type=Path, help="messages of the on-failure destination, one JSON object a line"
    )


def run(arguments: argparse.Namespace) -> int:
    """Publish; 1 where EventBridge did not take every event, 2 where it could not be tried."""
    try:
        spans = _spans(arguments)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot read what to replay: {printable(str(error))}", file=sys.stderr)
        return NOT_DONE
    try:
        store = Store(DynamoDb(clients().dynamodb()), request_table=arguments.table)
        sent, failed = replay(EventBus(clients().events()), _events(store, spans))
    except (ValidationError, *AWS_FAILURES) as error:
        return report_failure("replay", error)
    for event in failed:
        print(f"not taken: {event.subject!a} event {event.sequence}", file=sys.stderr)
    print(f"{sent} events published, {len(failed)} not")
    return 1 if failed else 0


def _events(store: Store, spans: list[Span]) -> Iterator[Event]:
    seen: set[str] = set()
    for since, until in spans:
        for event in events_between(store, since, until):
            if event.hash not in seen:
                seen.add(event.hash)
                yield event


def _spans(arguments: argparse.Namespace) -> list[Span]:
    if (arguments.failures is None) == (arguments.since is None):
        raise ValueError("give either --since or --failures")
    if arguments.since:
        return [(arguments.since, arguments.until)]
    return [_span(line) for line in arguments.failures.read_text("utf-8").splitlines() if line.strip()]


def _span(message: str) -> Span:
    # A stream's on-failure message names the records, and does not hold them.
    batch = json.loads(message)["DDBStreamBatchInfo"]
    first = parse_time(batch["approximateArrivalOfFirstRecord"])
    last = parse_time(batch["approximateArrivalOfLastRecord"])
    return first - _BEFORE, last + _AFTER


def _time(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
