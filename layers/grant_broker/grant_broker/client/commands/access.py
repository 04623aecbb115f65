"""`grant-broker access`: the whole access report of one key, from the broker or read from KMS by oneself."""

import json
import sys
from functools import partial

import boto3
import click

from grant_broker.access_report import Identity
from grant_broker.api.shapes import access as shapes
from grant_broker.api.views.access import report_view
from grant_broker.aws.clients import Clients
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.kms_clients import KmsClients
from grant_broker.client.access_words import (
    accessor,
    actions_in_words,
    last_use_in_words,
    through_in_words,
)
from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.arguments import KEY_ARN
from grant_broker.client.failures import AWS_FAILURES, report_failure
from grant_broker.client.identities import read_identities
from grant_broker.client.key_naming import get_path_id
from grant_broker.client.printing import print_table, printable
from grant_broker.client.stack import read_facts, stack_options
from grant_broker.domain.arns import account_of, region_of
from grant_broker.keys.access import get_whole

_HEADER = ("PRINCIPAL", "ACTIONS", "THROUGH", "UNTIL", "CONSTRAINT")


def kms_of(arn: str, profile: str | None) -> KmsReader:
    """KMS in the key's Region, with the profile's credentials or those at hand."""
    return KmsReader(KmsClients(_clients(arn, profile).reading_kms, region_of(arn)))


@click.command("access", cls=ApiCommand)
@click.argument("key", required=False)
@click.option("--from-kms", is_flag=True, help="Ask KMS itself, by yourself, about any key: give its ARN.")
@click.option("--key-arn", type=KEY_ARN, hidden=True, help="As ARN --from-kms; its older form.")
@stack_options("expiry_role", of_api=True)
@click.option("--json", "as_json", is_flag=True, help="Write the report as the API does.")
@click.pass_obj
def command(
    api: Api,
    *,
    key: str | None,
    from_kms: bool,
    key_arn: str | None,
    stack: str | None,
    expiry_role: str | None,
    as_json: bool,
) -> int:
    """Report who can use or manage a key, and by what.

    KEY is the name, id or ARN of a managed key, and the report is the broker's; with --from-kms the ARN of
    any key, and the report is what KMS shows to the AWS credentials at hand. Where expiry's role is known, a
    grant of the broker's name that it cannot retire is foreign. The key's Region is in its ARN, --region is
    that of --stack. Exit code 1 where KMS, asked by yourself, does not answer or refuses.
    """
    if from_kms and key and not key_arn:
        key, key_arn = None, KEY_ARN(key)
    if key and not key_arn:
        report = api.client.security.get_access(get_path_id(key, api.client.security.list_keys()))
    elif key_arn and not key:
        try:
            if stack:
                given = {"expiry_role": expiry_role}
                expiry_role = read_facts(stack, given, lambda: Clients(api.session.client))["expiry_role"]
            report = _read_report(_clients(key_arn, api.profile), key_arn, expiry_role)
        except AWS_FAILURES as error:
            report_failure("access", error)
            return 1
    else:
        raise click.UsageError("give KEY: a name, an id or an ARN")
    if as_json or api.output == "json":
        print(json.dumps({name: value for name, value in report.items() if name != "cursor"}))
    else:
        print_report(report)
    return 0


def _read_report(aws: Clients, key_arn: str, expiry_role: str | None) -> shapes.AccessReport:
    page = get_whole(
        KmsReader(KmsClients(aws.reading_kms, region_of(key_arn))),
        key_arn,
        retiring_principal=expiry_role,
        read_identities=partial(_read_identities, aws),
    )
    return report_view(page, {}, cursor=None)


def print_report(report: shapes.AccessReport) -> None:
    """Print a report in words: a table of all access, the findings, and counts."""
    print_table(_HEADER, [_row(item) for item in report["items"]])
    _print_findings(report)


def _clients(arn: str, profile: str | None) -> Clients:
    return Clients(boto3.Session(profile_name=profile, region_name=region_of(arn)).client)


def _read_identities(aws: Clients, accounts: set[str]) -> list[Identity] | None:
    """The roles and users of the caller's account; what IAM does not show is said in one line."""
    try:
        identities, why = read_identities(aws.iam()), "it is not the caller's account"
    except AWS_FAILURES as error:
        identities, why = [], str(error)
    unread = accounts - {account_of(identity.arn) for identity in identities}
    if unread:
        words = f"IAM of {', '.join(sorted(unread))} is not read: whom it lets in is not listed: {why}"
        print(f"grant-broker access: {printable(words)}", file=sys.stderr)
    return None if unread == accounts else identities


def _row(item: shapes.AccessEntry) -> tuple[str, ...]:
    constraint = json.dumps(item["constraint"], sort_keys=True) if item["constraint"] else "-"
    return (
        accessor(item),
        actions_in_words(item["actions"]),
        through_in_words(item["through"]),
        item["until"] or "-",
        constraint,
    )


def _print_findings(report: shapes.AccessReport) -> None:
    print()
    print(printable(f"the key itself: {last_use_in_words(report['last_used'])}"))
    for finding in report["findings"]:
        about = f" [{finding['principal']}]" if "principal" in finding else ""
        print(printable(f"{finding['code']}{about}: {finding['detail']}"))
    counts = {name: count for name, count in report["counts"].items() if name != "findings"}
    print(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counts.items()))
