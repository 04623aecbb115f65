"""The body of a call: one JSON object, strictly read."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from grant_broker.api import strict_json
from grant_broker.api.faults import faults_of, field_name, invalid
from grant_broker.domain.errors import MISSING, Fault, InvalidRequest, TooLarge

LARGEST_BODY = 64 * 1024
M = TypeVar("M", bound=BaseModel)


def read(model: type[M], event: Mapping[str, Any], *, required: Collection[str] = (), **given: object) -> M:
    """The body as a model, with all faults of it at once; `given` stands where the body is silent.

    `required`: what the body must name, even if the model has a default for it. Raises InvalidRequest or
    TooLarge.
    """
    value = _read_object(event)
    faults = [Fault(name, MISSING) for name in required if name not in value]
    faults += [Fault(field_name(path), why) for path, why in strict_json.faults(value)]
    try:
        found = model.model_validate({**given, **value})
    except ValidationError as error:
        raise invalid(faults + faults_of(error)) from error
    if faults:
        raise invalid(faults)
    return found


def refuse_body(event: Mapping[str, Any]) -> None:
    """Refuse what would be ignored: a call that takes no body is sent none, or an empty object."""
    _ensure_small(event)
    if event.get("isBase64Encoded") or (event.get("body") or "").strip() not in {"", "{}"}:
        raise InvalidRequest(Fault("body", "this call takes no body"))


def _read_object(event: Mapping[str, Any]) -> strict_json.Object:
    _ensure_small(event)
    if event.get("isBase64Encoded"):
        raise InvalidRequest(Fault("body", "send JSON text"))
    try:
        value = strict_json.loads(event.get("body") or "")
    except ValueError as error:
        text = f"send one JSON value, no deeper than {strict_json.DEEPEST} levels"
        raise InvalidRequest(Fault("body", text)) from error
    if not isinstance(value, strict_json.Object):
        raise InvalidRequest(Fault("body", "send a JSON object"))
    return value


def _ensure_small(event: Mapping[str, Any]) -> None:
    text = event.get("body") or ""
    encoded = event.get("isBase64Encoded")
    size = len(text) * 3 // 4 if encoded else len(text.encode(errors="surrogatepass"))
    if size > LARGEST_BODY:
        raise TooLarge(f"a body has at most {LARGEST_BODY} bytes")
