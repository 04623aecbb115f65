"""Commands that call the broker: their common options, and what they say when it does not do its part."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.clients import Clients
from grant_broker.client.arguments import STACK
from grant_broker.client.errors import (
    BlockedError,
    ConflictError,
    GrantBrokerError,
    InvalidRequestError,
    NoAnswerError,
    NotFoundError,
    NotGrantedError,
    NotPermittedError,
    TooManyRequestsError,
    UnavailableError,
    WaitTimeoutError,
)
from grant_broker.client.exit_codes import DONE, NO_ANSWER, OVER, REFUSED, WRONG_USAGE
from grant_broker.client.printing import print_json, printable
from grant_broker.client.stack import read_outputs
from grant_broker.client.third_party import Client

_NOT_NOW = (NoAnswerError, TooManyRequestsError, UnavailableError, WaitTimeoutError)
# What to do next, where the API's own words do not say it.
_NEXT: tuple[tuple[type[GrantBrokerError], str], ...] = (
    (
        NotFoundError,
        "list what there is with `grant-broker status`, or `queue` for the security team",
    ),
    (InvalidRequestError, "mend what is named"),
    (ConflictError, "look at it with `grant-broker status ID`, or `show ID` for the security team"),
    (BlockedError, "ask the security team, or come again when the block is over: it stands whoever calls"),
    (NotPermittedError, "compare who calls (aws sts get-caller-identity) with whom the broker lets do this"),
    (WaitTimeoutError, "wait longer with grant-broker wait ID, or withdraw it with grant-broker release ID"),
    (NotGrantedError, "ask for another with grant-broker request"),
)


@dataclass(frozen=True)
class Api:
    """The broker as a command was told to call it, and how to show what it answers."""

    profile: str | None
    region: str | None
    endpoint_url: str | None
    stack: str | None
    output: Literal["table", "json"]

    @cached_property
    def session(self) -> boto3.Session:
        """The credentials and the Region."""
        return boto3.Session(profile_name=self.profile, region_name=self.region)

    @cached_property
    def client(self) -> Client:
        """The broker's client."""
        return Client(self.endpoint_url or self._url_of_stack(), session=self.session)

    @cached_property
    def offered_names(self) -> dict[str, str]:
        """What people call the keys that the caller may ask for, by their ARNs; ids do where nobody says."""
        try:
            return {key["key_arn"]: key["name"] for key in self.client.list_keys()}
        except GrantBrokerError:
            return {}

    @cached_property
    def managed_names(self) -> dict[str, str]:
        """What people call the managed keys, by their ARNs: for the security team."""
        return {key["key_arn"]: key["name"] for key in self.client.security.list_keys()}

    def _url_of_stack(self) -> str | None:
        if self.stack is None:
            return None
        outputs = read_outputs(self.stack, Clients(self.session.client))
        if "ApiUrl" not in outputs:
            raise GrantBrokerError(f"the stack {self.stack} has no output ApiUrl: name the broker's stack")
        return outputs["ApiUrl"]

    def show(self, value: object, print_in_words: Callable[[], None]) -> None:
        """Print what the API answered, as JSON or in words."""
        if self.output == "json":
            print_json(value)
        else:
            print_in_words()

    def confirm(self, words: str, *, yes: bool) -> None:
        """Ask before what cannot be undone, unless that was answered ahead; click.Abort where it is no."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise click.UsageError(f"{words} Nobody can be asked here: give --yes")
        click.confirm(words, abort=True, err=True)

    def say(self, words: str) -> None:
        """Say something beside the output, on the standard error."""
        print(printable(words), file=sys.stderr)


_OPTIONS: list[click.Parameter] = [
    click.Option(["--profile"], help="The AWS profile to sign with."),
    click.Option(
        ["--region"], envvar="AWS_REGION", help="The Region, where neither address nor profile say it."
    ),
    click.Option(
        ["--endpoint-url"],
        envvar="GRANT_BROKER_URL",
        show_envvar=True,
        help="The broker's address, the stack's output ApiUrl.",
    ),
    click.Option(
        ["--stack"], type=STACK, help="The broker's stack, to read its address from, where you may."
    ),
    click.Option(
        ["--output"],
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="How to print.",
    ),
]


yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")


class DefaultGroup(click.Group):
    """A group whose first command runs where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; before options alone, the first command's name is understood."""
        if not args or (args[0].startswith("-") and args[0] != "--help"):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


class ApiCommand(click.Command):
    """A command that calls the broker: `click.pass_obj` gives it an Api. It may return an exit code."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own, and those of all that call the broker."""
        own = super().get_params(ctx)
        return [*own, *(option for option in _OPTIONS if option.name not in {each.name for each in own})]

    def invoke(self, ctx: click.Context) -> int:
        """Run it; what kept it is one line on the standard error, with the next step."""
        ctx.obj = api = Api(**{name: ctx.params[name] for name in Api.__dataclass_fields__})
        own = {param.name for param in self.params}
        ctx.params = {name: value for name, value in ctx.params.items() if name in own}
        try:
            return super().invoke(ctx) or DONE
        except GrantBrokerError as error:
            hint = _next_step(error, ctx)
            api.say(f"grant-broker: {error}{f'. Next: {hint}' if hint else ''}")
            if isinstance(error, _NOT_NOW):
                return NO_ANSWER
            return OVER if isinstance(error, NotGrantedError) else REFUSED
        except (BotoCoreError, ClientError) as error:
            api.say(f"grant-broker: {error}. Next: {_next_at_aws(error)}")
            return REFUSED
        except BrokenPipeError:
            raise
        except OSError as error:
            api.say(f"grant-broker: {error.filename}: {error.strerror}. Next: give another path")
            return WRONG_USAGE


def _next_step(error: GrantBrokerError, ctx: click.Context) -> str | None:
    """What to do next; None where the API's own words say it, or nothing helps."""
    of_a_key = {"key", "operations", "duration", "encryption_context", "context_match"}
    if isinstance(error, InvalidRequestError) and any(fault["field"] in of_a_key for fault in error.errors):
        return "mend what is named; `grant-broker keys` says what each key allows"
    group = ctx.parent.info_name if ctx.parent and ctx.parent.parent else None
    if group and isinstance(error, NotFoundError | ConflictError):
        return f"list what there is with `grant-broker {group}`"
    return next((words for kind, words in _NEXT if isinstance(error, kind)), None)


def _next_at_aws(error: BotoCoreError | ClientError) -> str:
    code = error.response["Error"].get("Code") if isinstance(error, ClientError) else None
    if code == "AccessDeniedException":
        return "ask why with `grant-broker why ID`"
    return "check --profile, --region and the credentials, such as with aws sts get-caller-identity"
