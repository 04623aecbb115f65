"""`grant-broker audit`: take the audit trail out as JSON Lines, and verify its hash chains.

Exit code 1 means a breach and nothing else; 2, that something could not be read.
"""

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
from grant_broker.client.failures import AWS_FAILURES, NOT_DONE, report_failure
from grant_broker.client.printing import printable
from grant_broker.events.export import Line, export, verify_export

_HELP = (
    "the approval table: with it the trails of keys and standing approvals are checked against their records"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the two actions and their options."""
    parser.epilog = "Exit codes: 1 is a breach and nothing else, 2 that something could not be read."
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    verifying = actions.add_parser("verify", help="name the first breach of every trail; exit code 1")
    source = verifying.add_mutually_exclusive_group(required=True)
    source.add_argument("--table", help="the request table")
    source.add_argument("--file", type=Path, help="an export, in JSON Lines")
    verifying.add_argument("--approval-table", help=_HELP)
    verifying.set_defaults(action=verify)
    exporting = actions.add_parser("export", help="write every event and head, one JSON object a line")
    exporting.add_argument("--table", required=True, help="the request table")
    exporting.add_argument("--approval-table", help=_HELP)
    exporting.set_defaults(action=write)


def run(options: argparse.Namespace) -> int:
    """Do what was asked for; the exit code."""
    return cast("int", options.action(options))


def verify(arguments: argparse.Namespace) -> int:
    """Print each breach; 1 where there is one, 2 where the file or the tables cannot be read."""
    try:
        found = verify_export(_read(arguments.file) if arguments.file else export(_store(arguments)))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        print(f"cannot read {arguments.file}: {printable(str(error))}", file=sys.stderr)
        return NOT_DONE
    except AWS_FAILURES as error:
        return report_failure("audit verify", error)
    for subject, breach in found.broken.items():
        print(f"{subject!a} event {breach.sequence}: {breach.kind}: {breach.detail}")
    if found.export:
        print(f"the export: truncated: {found.export}")
    print(f"{len(found.trails)} trails, {len(found.broken)} broken")
    print(f"digest over where they end: {found.digest}")
    return 1 if found.broken or found.export else 0


def write(arguments: argparse.Namespace) -> int:
    """Print the export: ASCII only, so that no text in it can move or hide another.

    Where the tables cannot be read to their end the closing line is missing, and the exit code is 2.
    """
    try:
        for line in export(_store(arguments)):
            # Only the line's own gaps are left out: a null within an event is part of what was hashed.
            filled = {
                name: value for name, value in line.model_dump(mode="json").items() if value is not None
            }
            print(json.dumps(filled, ensure_ascii=True))
    except AWS_FAILURES as error:
        return report_failure("audit export", error)
    return 0


def _read(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield Line.model_validate_json(line)


def _store(arguments: argparse.Namespace) -> Store:
    tables = {"request_table": arguments.table, "approval_table": arguments.approval_table}
    return Store(DynamoDb(clients().dynamodb()), **tables)
