"""`grant-broker audit`: find requests, export the audit trail, verify its hash chains, make evidence of it.

Exit code 1 means a breach and nothing else; 2, that something could not be read.
"""

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Unpack

import click
from pydantic import ValidationError

from grant_broker.client.arguments import TIME
from grant_broker.client.audit_places import Places, open_places, places_options
from grant_broker.client.aws_session import clients
from grant_broker.client.commands.audit_events import events
from grant_broker.client.commands.audit_search import search
from grant_broker.client.evidence.files import gather, write_files
from grant_broker.client.evidence.trails import Period
from grant_broker.client.failures import AWS_FAILURES, NOT_DONE, report_failure
from grant_broker.client.printing import printable
from grant_broker.events.export import Line, export, verify_export

_FAILURES = (OSError, ValidationError, UnicodeDecodeError, *AWS_FAILURES)


@click.group("audit", no_args_is_help=False)
def command() -> None:
    """Find requests, list events, export the trail, verify its chains, or make evidence of it.

    All but `events` read the archive as well. Exit codes of the last three: 1 is a breach and nothing else, 2
    that something could not be read.
    """


command.add_command(events)
command.add_command(search)


@command.command("verify")
@click.option("--file", type=click.Path(path_type=Path), help="An export, in JSON Lines.")
@places_options
def verify(*, file: Path | None, **tables: Unpack[Places]) -> int:
    """Name the first breach of every trail.

    Exit code 1 where there is a breach, 2 where the file or the tables cannot be read.
    """
    try:
        found = verify_export(_lines(file, tables))
    except _FAILURES as error:
        return _report("verify", f"cannot read {file}", error)
    for subject, breach in found.broken.items():
        print(f"{subject!a} event {breach.sequence}: {breach.kind}: {breach.detail}")
    if found.export:
        print(f"the export: truncated: {found.export}")
    print(f"{len(found.trails)} trails, {len(found.broken)} broken")
    print(f"digest over where they end: {found.digest}")
    return 1 if found.broken or found.export else 0


@command.command("export")
@places_options
def write(**tables: Unpack[Places]) -> int:
    """Write every event and head, one JSON object a line.

    Where the tables cannot be read to their end the closing line is missing, and the exit code is 2.
    """
    try:
        for line in export(*open_places(tables, clients)):
            # Only the line's own gaps are left out: a null within an event is part of what was hashed.
            filled = {
                name: value for name, value in line.model_dump(mode="json").items() if value is not None
            }
            # ASCII only, so that no text in it can move or hide another.
            print(json.dumps(filled, ensure_ascii=True))
    except AWS_FAILURES as error:
        return report_failure("audit export", error)
    return 0


@command.command("evidence")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--since", type=TIME, required=True, help="From this RFC 3339 time on.")
@click.option("--until", type=TIME, required=True, help="Before this RFC 3339 time.")
@click.option("--file", type=click.Path(path_type=Path), help="An export, in JSON Lines.")
@places_options
def evidence(
    *, folder: Path, since: datetime, until: datetime, file: Path | None, **tables: Unpack[Places]
) -> int:
    """Write what an auditor asks for of a period: every grant, approval, key, account and deciding role.

    As JSON Lines and CSV into a folder, with a manifest that counts and seals them. Exit code 1 where the
    trail that it is taken from is broken, 2 where it cannot be read, or the files not be written.
    """
    if since >= until:
        raise click.UsageError("--until must be later than --since")
    try:
        found = gather(list(_lines(file, tables)), Period(since, until))
        write_files(found, folder)
    except _FAILURES as error:
        return _report("evidence", f"cannot read {file} or write {folder}", error)
    for name, population in found.populations.items():
        print(f"{len(population):>8}  {name}")
    print(f"digest over where the trails end: {found.verified.digest}")
    if not found.whole:
        print(f"the trail is broken: {folder}/manifest.json says where", file=sys.stderr)
    return 0 if found.whole else 1


def _report(subcommand: str, words: str, error: Exception) -> int:
    """Print why an export, or the tables, could not be read; the exit code."""
    if isinstance(error, AWS_FAILURES):
        return report_failure(f"audit {subcommand}", error)
    print(f"{words}: {printable(str(error))}", file=sys.stderr)
    return NOT_DONE


def _lines(file: Path | None, tables: Places) -> Iterator[Line]:
    named = tables["stack"] or tables["request_table"]
    if file and not named:
        return _read(file)
    if named and not file:
        return export(*open_places(tables, clients))
    raise click.UsageError("give one of --stack, --request-table and --file")


def _read(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield Line.model_validate_json(line)
