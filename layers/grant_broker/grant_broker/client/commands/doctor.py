"""`grant-broker doctor`: what a deployed stack lacks, looked at from outside."""

from datetime import UTC, datetime

import click

from grant_broker.client.api_command import Api, ApiCommand, yes_option
from grant_broker.client.arguments import KEY_ARN
from grant_broker.client.doctor.account import Account
from grant_broker.client.doctor.bench import Bench
from grant_broker.client.doctor.checks import CHECKS
from grant_broker.client.doctor.examination import Patient, examine
from grant_broker.client.doctor.findings import Finding, State, fault
from grant_broker.client.doctor.probes import PROBES, conform
from grant_broker.client.exit_codes import DONE, NO_ANSWER
from grant_broker.client.http import Connection
from grant_broker.client.printing import print_json, printable
from grant_broker.client.security_team import SecurityTeam

_FAULTY = 1
_ATTEMPTS = 2


@click.command("doctor", cls=ApiCommand)
@click.option(
    "--dollars-a-day",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="What the stack may cost a day.",
)
@click.option("--conformance", is_flag=True, help="Try how AWS behaves where its documents do not say.")
@click.option("--foreign-key", type=KEY_ARN, help="A key of another account for --conformance to grant on.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds for AWS to come round, with --conformance.",
)
@yes_option
@click.pass_obj
def command(
    api: Api, *, dollars_a_day: float, conformance: bool, foreign_key: str | None, patience: float, yes: bool
) -> int:
    """Examine a deployed stack from outside: one line a finding, with the next step.

    It reads, and changes nothing. Run it as an approver to whom the stack's output DoctorPolicy is attached.
    Asking Cost Explorer costs 0.01 USD.

    With --conformance it needs no stack, and an administrator of an account for trials: it makes a key, a
    role and two tables, tries what AWS does beside what the local KMS says, and deletes them.

    \b
    Exit codes:
      0  all is well
      1  a fault was found, or a mismatch
      2  wrong usage
      3  the stack cannot be read
      4  no fault was found, but not everything could be looked at
    """
    if conformance:
        api.confirm("Make a key, a role and two tables in this account, and delete them again?", yes=yes)
        findings = _try_aws(api, foreign_key, patience)
    else:
        findings = list(examine(_patient(api, dollars_a_day), CHECKS))
    if api.output == "json":
        print_json([_shown(name, found) for name, found in findings])
    else:
        for name, found in findings:
            print(_line(name, found))
    return _exit_code([found for _, found in findings])


def _try_aws(api: Api, foreign_key: str | None, patience: float) -> list[tuple[str, Finding]]:
    bench = Bench(api.session, patience=patience, foreign_key=foreign_key)
    with bench:
        findings = list(conform(bench, PROBES))
    return [*findings, *(("cleaning up", fault(each, "delete it by hand")) for each in bench.failures)]


def _patient(api: Api, dollars_a_day: float) -> Patient:
    if api.stack is None:
        raise click.UsageError("give --stack: the broker's CloudFormation stack")
    account = Account(api.session.client)
    stack = account.get_stack(api.stack)
    url = api.endpoint_url or stack.outputs.get("ApiUrl", "")
    security = SecurityTeam(Connection(url, api.session, attempts=_ATTEMPTS))
    return Patient(stack, account, api.endpoint_url, security, datetime.now(UTC), dollars_a_day)


def _exit_code(findings: list[Finding]) -> int:
    states = {found.state for found in findings}
    if State.FAULT in states:
        return _FAULTY
    return NO_ANSWER if State.UNKNOWN in states else DONE


def _line(name: str, found: Finding) -> str:
    words = f"{found.words}. Next: {found.next_step}" if found.next_step else found.words
    return f"{found.state:<9}  {name:<21}  {printable(words)}"


def _shown(name: str, found: Finding) -> dict[str, str]:
    return {"check": name, "state": found.state, "finding": found.words, "next_step": found.next_step}
