"""`grant-broker census`: all keys and grants of an account, read alone, without a stack."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import click
from botocore.exceptions import BotoCoreError

from grant_broker.aws.clients import Clients
from grant_broker.client.arguments import NAMES, SPAN
from grant_broker.client.census.adopting import Adoption
from grant_broker.client.census.reading import Census
from grant_broker.client.census.reports import HtmlReport, JsonReport, TableReport, Write
from grant_broker.client.census.seen import Listener
from grant_broker.client.failures import report_failure

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_REPORTS: dict[str, Callable[[Write], Listener]] = {
    "table": TableReport,
    "json": JsonReport,
    "html": HtmlReport,
}


@click.command("census")
@click.option("--profile", help="The AWS profile to read with.")
@click.option("--regions", type=NAMES, help="Only these Regions, with commas between; else all of KMS's.")
@click.option(
    "--output", type=click.Choice(list(_REPORTS)), default="table", show_default=True, help="How to print."
)
@click.option(
    "--adopt",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write here what would replace the grants that people made: a folder that is not there yet.",
)
@click.option("--duration", type=SPAN, default="8h", show_default=True, help="How long a replacement lasts.")
def command(
    *, profile: str | None, regions: list[str] | None, output: str, adopt: Path | None, duration: timedelta
) -> int:
    """List all keys and grants of your account, who made each, and what to look at.

    Needs no broker and changes nothing. It calls ListKeys, ListAliases, DescribeKey, ListGrants and, where
    KMS has it, GetKeyLastUsage.

    \b
    With --adopt DIR it also writes, for grants that no AWS service and no broker made:
      keys/        limits for grant-broker apply
      requests/    bodies for grant-broker call POST /requests @FILE, by the grantee's account
      revoke.sh    what revokes the old grants once the new ones are active
      left.jsonl   what has no replacement, and why

    Exit code 1 where a Region or a key could not be read.
    """
    try:
        session = boto3.Session(profile_name=profile)
        wanted = regions or session.get_available_regions("kms")
        adoption = Adoption(adopt, duration=int(duration.total_seconds())) if adopt else None
        listeners = [_REPORTS[output](sys.stdout.write), *([adoption] if adoption else [])]
        census = Census(_kms_of(session), listeners, datetime.now(UTC))
        census.take(wanted)
    except FileExistsError as error:
        raise click.UsageError(f"{adopt} is there already: name a new folder for --adopt") from error
    except BrokenPipeError:
        # Whoever read has enough: that is no failure.
        raise
    except (BotoCoreError, OSError) as error:
        return report_failure("census", error)
    if adoption:
        print(_next_steps(adoption), file=sys.stderr)
    return 1 if census.unread else 0


def _kms_of(session: boto3.Session) -> "Callable[[str], KMSClient]":
    """Give KMS of a Region."""
    return Clients(session.client).reading_kms


def _next_steps(adoption: Adoption) -> str:
    folder = adoption.folder
    return (
        f"{adoption.replaced} grants can be replaced, {adoption.left} cannot: see {folder}/left.jsonl.\n"
        f"Next: grant-broker apply --plan {folder}/keys/*.yaml; then each account sends its requests; then "
        f"run {folder}/revoke.sh."
    )
