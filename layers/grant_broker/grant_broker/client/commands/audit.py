"""`grant-broker audit`: take the audit trail out as JSON Lines, and verify its hash chains."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from grant_broker.aws.clients import clients
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.store import Store
from grant_broker.events.trail import Line, breaches, export

_HELP = (
    "the approval table: with it the trails of keys and standing approvals are checked against their records"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the two actions and their options."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    verifying = actions.add_parser("verify", help="name the first breach of every subject's hash chain")
    source = verifying.add_mutually_exclusive_group(required=True)
    source.add_argument("--table", help="the request table")
    source.add_argument("--file", type=Path, help="an export, in JSON Lines")
    verifying.add_argument("--approval-table", help=_HELP)
    verifying.set_defaults(action=verify)
    exporting = actions.add_parser("export", help="write every event and every head, one JSON object a line")
    exporting.add_argument("--table", required=True, help="the request table")
    exporting.add_argument("--approval-table", help=_HELP)
    exporting.set_defaults(action=write)


def run(options: argparse.Namespace) -> int:
    """Do what was asked for; the exit code."""
    return cast("int", options.action(options))


def verify(arguments: argparse.Namespace) -> int:
    """Print each breach; 1 where there is one, 2 where the file cannot be read."""
    try:
        lines = _read(arguments.file) if arguments.file else export(_store(arguments))
        found = list(breaches(lines))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        print(f"cannot read {arguments.file}: {error}", file=sys.stderr)
        return 2
    broken = [(subject, breach) for subject, breach in found if breach]
    for subject, breach in broken:
        print(f"{subject!a} event {breach.sequence}: {breach.kind}: {breach.detail}")
    print(f"{len(found)} trails, {len(broken)} broken")
    return 1 if broken else 0


def write(arguments: argparse.Namespace) -> int:
    """Print the export: ASCII only, so that no text in it can move or hide another."""
    for line in export(_store(arguments)):
        # Only the line's own gaps are left out: a null within an event is part of what was hashed.
        filled = {name: value for name, value in line.model_dump(mode="json").items() if value is not None}
        print(json.dumps(filled, ensure_ascii=True))
    return 0


def _read(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield Line.model_validate_json(line)


def _store(arguments: argparse.Namespace) -> Store:
    tables = {"request_table": arguments.table, "approval_table": arguments.approval_table}
    return Store(DynamoDb(clients().dynamodb()), **tables)
