"""`grant-broker simulate`: what would KMS answer? One JSON object a line in, one a line out."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import click
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from grant_broker.access_report import KEY_ACTIONS, OTHER_ACTIONS
from grant_broker.client.arguments import fault_in_key_arn
from grant_broker.client.printing import printable
from grant_broker.policy_engine import Call, Decision, decide_kms

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_BAD_INPUT = 2

# IAM's actions ignore case.
_KEY_ACTIONS = {name.lower() for name in KEY_ACTIONS}
_OTHER_ACTIONS = {name.lower() for name in OTHER_ACTIONS}


def _key_action(text: str) -> str:
    if text.lower() in _OTHER_ACTIONS:
        raise ValueError(f"{text} is not asked of a key: no key policy and no grant decides it")
    if text.lower() not in _KEY_ACTIONS:
        raise ValueError(f"{text!a} is no KMS action on a key: give one such as kms:Encrypt")
    return text


def _key_arn(text: str) -> str:
    if fault := fault_in_key_arn(text):
        raise ValueError(fault)
    return text


_Policy = dict[str, Any] | str


class _Grant(BaseModel):
    """An entry of ListGrants, as AWS's clients show it; what is not named here is passed on.

    A service's grant has `GranteeServicePrincipal`, and a SourceArn among its constraints is a text.
    """

    model_config = ConfigDict(strict=True, extra="allow")

    GrantId: str | None = None
    KeyId: str | None = None
    GranteePrincipal: str | None = None
    GranteeServicePrincipal: str | None = None
    RetiringPrincipal: str | None = None
    IssuingAccount: str | None = None
    Operations: list[str] = []
    Constraints: dict[str, dict[str, str] | str] | None = None


class _Case(BaseModel):
    """One line. Fields that are not named here (`tags`, `expected`) are the writer's own."""

    model_config = ConfigDict(strict=True)

    id: str | int | None = None
    key_arn: Annotated[str, AfterValidator(_key_arn)]
    principal_arn: Annotated[str, Field(min_length=1)]
    action: Annotated[str, AfterValidator(_key_action)]
    context: dict[str, Any]
    key_policy: _Policy
    identity_policies: list[_Policy] = []
    grants: list[_Grant] = []
    encryption_context: dict[str, str] | None = None
    grant_tokens: list[str] = []

    def decide(self) -> Decision:
        call = Call(
            principal_arn=self.principal_arn,
            action=self.action,
            resource_arn=self.key_arn,
            context=self.context,
            encryption_context=self.encryption_context,
            grant_tokens=self.grant_tokens,
        )
        return decide_kms(
            call,
            key_policy=self.key_policy,
            identity_policies=self.identity_policies,
            grants=[grant.model_dump() for grant in self.grants],
        )


@click.command("simulate")
@click.argument("file")
@click.option("--explain", is_flag=True, help="Answer in words instead of JSON.")
def command(*, file: str, explain: bool) -> int:
    """Decide KMS calls by the policies and grants given with each, without AWS.

    FILE holds JSON Lines; - reads the standard input. Exit code 2 where it or a line of it cannot be read.
    """
    try:
        with _opened(file) as lines:
            bad = _decide_all(lines, explain=explain)
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"grant-broker simulate: {file}: {error.strerror}", file=sys.stderr)
        return _BAD_INPUT
    return _BAD_INPUT if bad else 0


def _decide_all(lines: BinaryIO, *, explain: bool) -> int:
    """Write an answer for each line, in order; the number of lines that could not be read."""
    bad = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case = _Case.model_validate(json.loads(line.decode("utf-8").strip()))
            decision = case.decide()
        except (ValueError, RecursionError) as error:
            bad += 1
            print(f"line {number}: {printable(_fault(error))}", file=sys.stderr)
            continue
        name = number if case.id is None else case.id
        print(_in_words(name, case, decision) if explain else json.dumps(_answer(name, decision)))
    return bad


def _answer(name: str | int, decision: Decision) -> Mapping[str, Any]:
    return {
        "id": name,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "decided_by": [source._asdict() for source in decision.decided_by],
    }


def _in_words(name: str | int, case: _Case, decision: Decision) -> str:
    words = f"{name}: {case.principal_arn} calls {case.action}: {decision.verdict}. {decision.reason}"
    return printable(words)


def _fault(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, ValidationError):
        return "; ".join(map(_in_place, error.errors()))
    return str(error)


def _in_place(fault: "ErrorDetails") -> str:
    place = ".".join(map(str, fault["loc"])) or "line"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}"


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file
