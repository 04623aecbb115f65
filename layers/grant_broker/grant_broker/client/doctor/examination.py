"""Every check of a stack by name, each run whatever happened to the others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.client.doctor.account import Account, NotInStackError, Stack
from grant_broker.client.doctor.findings import Finding, unknown
from grant_broker.client.errors import GrantBrokerError
from grant_broker.client.security_team import SecurityTeam


@dataclass(frozen=True)
class Patient:
    """What the checks look at: a stack, its account, and its API as it is reached from here.

    `api_url` replaces the address that the stack says.
    """

    stack: Stack
    account: Account
    api_url: str | None
    security: SecurityTeam
    now: datetime
    dollars_a_day: float


Check = Callable[[Patient], Iterator[Finding]]
_NEXT = "attach the stack's output DoctorPolicy to whoever runs this, or look there yourself"


def examine(patient: Patient, checks: Mapping[str, Check]) -> Iterator[tuple[str, Finding]]:
    """Run each check; what AWS or the API does not tell is a finding of its own."""
    for name, check in checks.items():
        try:
            yield from ((name, found) for found in check(patient))
        except (BotoCoreError, ClientError, GrantBrokerError) as error:
            yield name, unknown(str(error), _NEXT)
        except NotInStackError as error:
            yield name, unknown(str(error), "deploy this version's template; name the broker's stack")
