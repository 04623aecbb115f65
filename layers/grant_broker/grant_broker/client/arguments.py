"""What the commands take as arguments, each refused with the words of what would be right."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Generic, TypeVar

import click

from grant_broker.client.durations import iso_duration, parse_span
from grant_broker.domain import arns, scope
from grant_broker.domain.times import parse_time
from grant_broker.domain.windows import Day, Window

T = TypeVar("T")


class Parsed(click.ParamType, Generic[T]):
    """An argument that is read by a function. Its ValueError is a usage error, with the same words."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """The value that the text means."""
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def fault_in_key_arn(text: str) -> str | None:
    """Why this is no ARN of a key that the broker can serve; None where it is one."""
    return _fault(arns.KEY, text, "give a key's ARN, no id and no alias")


def _key_arn(text: str) -> str:
    return _checked(text, fault_in_key_arn(text))


def _role_arn(text: str) -> str:
    return _checked(text, _fault(arns.ROLE, text, "give a role's ARN"))


def _account(text: str) -> str:
    return _checked(text, _fault(arns.ACCOUNT, text, "give the 12 digits of an account"))


def _grantee(text: str) -> str:
    return _checked(text, _fault(arns.GRANTEE, text, "give the ARN of one role, user or session"))


def _stack_name(text: str) -> str:
    found = re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", text, re.ASCII)
    return _checked(text, None if found else f"{text!a}: give the name of a CloudFormation stack")


def _operations(text: str) -> str:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in scope.OPERATIONS]
    fault = f"not grantable: {', '.join(map(ascii, unknown))}; known are {', '.join(scope.OPERATIONS)}"
    return _checked(",".join(names), fault if unknown else None)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    return name, _checked(value, None if equals and name else f"{text!a}: give a pair as NAME=VALUE")


def _window(text: str) -> dict[str, object]:
    parts = re.fullmatch(r"(\S+)\s+(\d\d:\d\d)-(\d\d:\d\d)\s+(\S+)", text.strip(), re.ASCII)
    fault = f"{text!a}: give a window as mon-fri 22:00-06:00 Europe/Berlin"
    if parts is None:
        raise ValueError(fault)
    try:
        window = Window.model_validate(
            {"days": _days(parts[1]), "from": parts[2], "to": parts[3], "time_zone": parts[4]}
        )
    except ValueError as error:
        raise ValueError(fault) from error
    return window.model_dump(mode="json")


def _days(text: str) -> list[str]:
    """Days and spans of days with commas between; a span may go on over Sunday: fri-mon. ValueError."""
    week = [day.value for day in Day]
    found: list[str] = []
    for span in text.split(","):
        first, _, last = span.partition("-")
        place = week.index(first)
        length = (week.index(last or first) - place) % 7 + 1
        found += [week[(place + number) % 7] for number in range(length)]
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _fault(pattern: re.Pattern[str], text: str, wanted: str) -> str | None:
    try:
        arns.refuse_other_partition(text)
    except ValueError as error:
        return f"{text!a}: {error}"
    return None if pattern.fullmatch(text) else f"{text!a}: {wanted}"


def _checked(text: str, fault: str | None) -> str:
    if fault:
        raise ValueError(fault)
    return text


KEY_ARN = Parsed("ARN", _key_arn)
ROLE_ARN = Parsed("ARN", _role_arn)
ACCOUNT = Parsed("ACCOUNT", _account)
GRANTEE = Parsed("ARN", _grantee)
STACK = Parsed("NAME", _stack_name)
OPERATIONS = Parsed("NAMES", _operations)
"""KMS's names with commas between."""
CONTEXT = Parsed("NAME=VALUE", _pair)
WINDOW = Parsed("WINDOW", _window)
"""Such as mon-fri 22:00-06:00 Europe/Berlin."""
NAMES = Parsed("NAMES", _names)
"""Several, with commas between."""
SPAN = Parsed("DURATION", parse_span)
"""Such as 2h."""
ISO_SPAN = Parsed("DURATION", iso_duration)
"""The same in the API's form; what is not short goes to the API as it is."""
TIME = Parsed("TIME", parse_time)
"""RFC 3339, UTC."""


def key_arn_argument(command: Callable[..., int]) -> Callable[..., int]:
    """Declare ARN, a key about which the broker is not asked, given to the command as `key_arn`.

    `--key-arn ARN`, its older form, is understood still.
    """

    @click.argument("key", metavar="ARN", type=KEY_ARN, required=False)
    @click.option("--key-arn", "older", type=KEY_ARN, hidden=True)
    @wraps(command)
    def called(*, key: str | None, older: str | None, **others: object) -> int:
        if (key is None) == (older is None):
            raise click.UsageError("give the ARN of one key")
        return command(key_arn=key or older, **others)

    return called


match_option = click.option(
    "--match",
    type=click.Choice(["equals", "subset"]),
    default="equals",
    show_default=True,
    help="Exactly these pairs, or at least these.",
)
