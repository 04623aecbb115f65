"""What an API call is: who makes it, and what it says. Nothing here believes a header about identity."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from grant_broker.api import strict_json
from grant_broker.domain.errors import Fault, InvalidRequest, NotPermitted, TooLarge
from grant_broker.domain.people import Caller
from grant_broker.domain.texts import fault_in

LARGEST_BODY = 64 * 1024
_LONGEST_FIELD = 64
_MOST_FAULTS = 100
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?")
_STS = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/[\w+=,.@-]+/(?P<session>[\w+=,.@-]+)", re.ASCII)
_USER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:user/.+", re.ASCII)
# The console's "Test" button sends identities that nobody signed for.
_CONSOLE_TEST = "test-invoke-stage"
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def caller_of(event: Mapping[str, Any]) -> Caller:
    """The identity that API Gateway verified (`requestContext.identity`); NotPermitted without one."""
    context = event["requestContext"]
    identity = context.get("identity") or {}
    arn, account, caller = (identity.get(name) or "" for name in ("userArn", "accountId", "caller"))
    session = _STS.fullmatch(arn)
    if context.get("stage") == _CONSOLE_TEST or not (session or _USER.fullmatch(arn)):
        raise NotPermitted("call as an IAM role or user, with a signed request")
    if not account or not caller or arn.split(":")[4] != account:
        raise NotPermitted("the caller's identity is not complete")
    return Caller(
        arn=arn,
        account=account,
        unique_id=caller.partition(":")[0],
        session=session["session"] if session else None,
    )


def body_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object in the body, strictly read; InvalidRequest or TooLarge."""
    value = _object_in(event)
    if faults := _faults_within(value):
        raise _invalid(faults)
    return value


def read(model: type[M], event: Mapping[str, Any], **given: object) -> M:
    """The body as a model, with all faults of it at once; `given` stands where the body is silent.

    Raises InvalidRequest or TooLarge.
    """
    value = _object_in(event)
    faults = _faults_within(value)
    try:
        found = model.model_validate({**given, **value})
    except ValidationError as error:
        raise _invalid(faults + _faults_of(error)) from error
    if faults:
        raise _invalid(faults)
    return found


def no_body(event: Mapping[str, Any]) -> None:
    """Refuse what would be ignored: a call that takes no body is sent none, or an empty object."""
    if _size(event) > LARGEST_BODY:
        raise TooLarge(f"a body has at most {LARGEST_BODY} bytes")
    if event.get("isBase64Encoded") or (event.get("body") or "").strip() not in {"", "{}"}:
        _refuse("body", "this call takes no body")


def query_of(event: Mapping[str, Any], *allowed: str) -> dict[str, str]:
    """The query parameters, each named once and known; InvalidRequest."""
    given = event.get("multiValueQueryStringParameters") or {}
    faults = [Fault(_field(name), "no such parameter") for name in given if name not in allowed]
    faults += [Fault(_field(name), "give it once") for name, values in given.items() if len(values) != 1]
    faults += [
        Fault(_field(name), why) for name, values in given.items() if (why := fault_in("".join(values)))
    ]
    if faults:
        raise _invalid(faults)
    return {name: values[0] for name, values in given.items()}


def idempotency_key_of(event: Mapping[str, Any]) -> str | None:
    """The Idempotency-Key, 1 to 128 printable ASCII characters, or None; InvalidRequest."""
    headers = event.get("multiValueHeaders") or {}
    found = [v for name, values in headers.items() if name.lower() == "idempotency-key" for v in values]
    if not found:
        return None
    if len(found) > 1 or not _IDEMPOTENCY_KEY.fullmatch(found[0]):
        _refuse("Idempotency-Key", "give it once, 1 to 128 printable ASCII characters")
    return str(found[0])


def parsed(model: type[M], value: object) -> M:
    """The value as a model; InvalidRequest with every fault, each named by its top-level field."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _invalid(_faults_of(error)) from error


def _faults_of(error: ValidationError) -> list[Fault]:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return [Fault(_field(*detail["loc"]), detail["msg"].removeprefix("Value error, ")) for detail in details]


def _invalid(faults: Iterable[Fault]) -> InvalidRequest:
    return InvalidRequest(*list(dict.fromkeys(faults))[:_MOST_FAULTS])


def _field(*location: int | str) -> str:
    name = str(location[0]) if location else ""
    # The name of an unknown field is the caller's own text.
    return name if 0 < len(name) <= _LONGEST_FIELD and not fault_in(name) else "body"


def _size(event: Mapping[str, Any]) -> int:
    text = event.get("body") or ""
    return len(text) * 3 // 4 if event.get("isBase64Encoded") else len(text.encode(errors="surrogatepass"))


def _object_in(event: Mapping[str, Any]) -> dict[str, Any]:
    if _size(event) > LARGEST_BODY:
        raise TooLarge(f"a body has at most {LARGEST_BODY} bytes")
    if event.get("isBase64Encoded"):
        _refuse("body", "send JSON text")
    try:
        value = strict_json.loads(event.get("body") or "")
    except ValueError as error:
        text = f"send one JSON value, no deeper than {strict_json.DEEPEST} levels"
        raise InvalidRequest(Fault("body", text)) from error
    if not isinstance(value, strict_json.Object):
        _refuse("body", "send a JSON object")
    return value


def _faults_within(value: dict[str, Any]) -> list[Fault]:
    return [Fault(_field(path), why) for path, why in strict_json.faults(value)]


def _refuse(field: str, message: str) -> NoReturn:
    raise InvalidRequest(Fault(field, message))


def limit_of(query: Mapping[str, str], *, default: int = 50, most: int = 100) -> int:
    """The `limit` of a list: 1 to 100; InvalidRequest."""
    text = query.get("limit", str(default))
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text, re.ASCII) or int(text) > most:
        _refuse("limit", f"1 to {most}")
    return int(text)


def one_of(query: Mapping[str, str], name: str, values: Iterable[str]) -> str | None:
    """A query parameter that must be one of some values, None where it is absent; InvalidRequest."""
    known = [str(value) for value in values]
    if name in query and query[name] not in known:
        _refuse(name, f"one of {', '.join(known)}")
    return query.get(name)


def matching(query: Mapping[str, str], name: str, check: Callable[[str], object]) -> str | None:
    """A query parameter that a check accepts, None where it is absent; InvalidRequest."""
    if name in query and not check(query[name]):
        _refuse(name, "not well formed")
    return query.get(name)


def time_of(query: Mapping[str, str], name: str, parse: Callable[[object], T]) -> T | None:
    """A query parameter that is a time, None where it is absent; InvalidRequest."""
    if name not in query:
        return None
    try:
        return parse(query[name])
    except ValueError as error:
        raise InvalidRequest(Fault(name, str(error))) from error
