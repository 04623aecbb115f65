"""`grant-broker audit search`: requests by key, account, person and time, in tables and archive."""

import json
from datetime import datetime
from typing import Unpack

import click

from grant_broker.client.arguments import ACCOUNT, TIME
from grant_broker.client.audit_places import Places, open_places, places_options
from grant_broker.client.aws_session import clients
from grant_broker.client.failures import AWS_FAILURES, report_failure
from grant_broker.events.archived import Shelf
from grant_broker.events.export import read_trail
from grant_broker.events.search import HistorySearch, find_history


@click.command("search")
@click.option("--request", metavar="ID", help="This request.")
@click.option("--key", metavar="KEY", help="About this key, by ARN or id.")
@click.option("--account", type=ACCOUNT, help="Of this account.")
@click.option("--person", help="Asked for by this person, by ARN or as shown, or for this grantee.")
@click.option("--since", type=TIME, help="Submitted from this RFC 3339 time on.")
@click.option("--until", type=TIME, help="Submitted before this RFC 3339 time.")
@click.option("--trail", is_flag=True, help="Write the events of each, too.")
@places_options
def search(
    *,
    request: str | None,
    key: str | None,
    account: str | None,
    person: str | None,
    since: datetime | None,
    until: datetime | None,
    trail: bool,
    **places: Unpack[Places],
) -> int:
    """Find requests in the tables and in the archive, one JSON object a line, oldest submission first.

    Exit code 2 where something could not be read.
    """
    wanted = HistorySearch(request=request, key=key, account=account, person=person, since=since, until=until)
    try:
        store, archive = open_places(places, clients)
        for found in find_history(store, wanted):
            _print(found)
            events = read_trail(store, f"request#{found['request']}", Shelf(archive)).events if trail else ()
            for event in events:
                _print({"event": event.model_dump(mode="json")})
    except AWS_FAILURES as error:
        return report_failure("audit search", error)
    return 0


def _print(line: object) -> None:
    # ASCII only, so that no text in it can move or hide another.
    print(json.dumps(line, ensure_ascii=True))
