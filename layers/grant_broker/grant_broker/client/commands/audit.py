"""`grant-broker audit`: take the audit trail out as JSON Lines, verify its hash chains, make evidence of it.

Exit code 1 means a breach and nothing else; 2, that something could not be read.
"""

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TypedDict, Unpack

import click
from pydantic import ValidationError

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.store import Store
from grant_broker.client.arguments import TIME
from grant_broker.client.aws_session import clients
from grant_broker.client.commands.audit_events import events
from grant_broker.client.evidence.files import gather, write_files
from grant_broker.client.evidence.trails import Period
from grant_broker.client.failures import AWS_FAILURES, NOT_DONE, report_failure
from grant_broker.client.printing import printable
from grant_broker.client.stack import read_facts, stack_options
from grant_broker.events.export import Line, export, verify_export

_FAILURES = (OSError, ValidationError, UnicodeDecodeError, *AWS_FAILURES)


class _Tables(TypedDict):
    """The stack, or its tables."""

    stack: str | None
    request_table: str | None
    approval_table: str | None


@click.group("audit", no_args_is_help=False)
def command() -> None:
    """List audit events, export the audit trail, verify its hash chains, or make evidence of it.

    Exit codes of the last three: 1 is a breach and nothing else, 2 that something could not be read.
    """


command.add_command(events)


@command.command("verify")
@click.option("--file", type=click.Path(path_type=Path), help="An export, in JSON Lines.")
@stack_options("request_table", "approval_table")
def verify(*, file: Path | None, **tables: Unpack[_Tables]) -> int:
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
@stack_options("request_table", "approval_table")
def write(**tables: Unpack[_Tables]) -> int:
    """Write every event and head, one JSON object a line.

    Where the tables cannot be read to their end the closing line is missing, and the exit code is 2.
    """
    try:
        for line in export(_store(tables)):
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
@stack_options("request_table", "approval_table")
def evidence(
    *, folder: Path, since: datetime, until: datetime, file: Path | None, **tables: Unpack[_Tables]
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


def _lines(file: Path | None, tables: _Tables) -> Iterator[Line]:
    named = tables["stack"] or tables["request_table"]
    if file and not named:
        return _read(file)
    if named and not file:
        return export(_store(tables))
    raise click.UsageError("give one of --stack, --request-table and --file")


def _read(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield Line.model_validate_json(line)


def _store(tables: _Tables) -> Store:
    given = {"request_table": tables["request_table"]}
    # Without a stack the approval table may be left out: what it holds is then not compared.
    if tables["stack"] or tables["approval_table"]:
        given["approval_table"] = tables["approval_table"]
    named = read_facts(tables["stack"], given, clients)
    return Store(
        DynamoDb(clients().dynamodb()),
        request_table=named["request_table"],
        approval_table=named.get("approval_table"),
    )
