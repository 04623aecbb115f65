"""The layer's botocore: its data is what the functions need, and asks for the same, byte for byte."""

import ast
import json
import re
import runpy
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from unittest import mock

import botocore
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.session import Session

from tests.local_stack.template import ROOT
from trim import ENDPOINTS, MODEL, OPERATIONS

DATA = Path(botocore.__file__).parent / "data"
SOURCES = (ROOT / "layers" / "grant_broker" / "grant_broker" / "aws").glob("*.py")
CALLS = [(service, operation) for service in OPERATIONS for operation in sorted(OPERATIONS[service])]
REGIONS = ("eu-central-1", "us-gov-west-1", "cn-north-1", "eu-isoe-west-1")
_DATETIME = datetime
_DEEPEST = 5  # DynamoDB's values nest without end
# Global endpoints of EventBridge, which the broker does not use: their signatures are never twice the same.
_NOT_SENT = {"EndpointId"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore's own data, trimmed as in the layer's build; of what goes anyway, one service is there."""
    folder = tmp_path_factory.mktemp("data")
    for name in (*OPERATIONS, "sts"):
        shutil.copytree(DATA / name, folder / name)
    for path in DATA.glob("*.json*"):
        shutil.copy(path, folder)
    with mock.patch.object(sys, "argv", ["trim.py", str(folder)]):
        runpy.run_module("trim", run_name="__main__")
    return folder


class _AnyDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _DATETIME)


class _Frozen(datetime, metaclass=_AnyDatetime):
    """The time that stands still, in the place of a class that botocore also asks what is one of."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return _DATETIME(2030, 1, 1, tzinfo=tz or UTC)


class _StoppedError(Exception):
    """A request went as far as the wire."""


def _session(folder: Path) -> Session:
    session = Session()
    loader = Loader([str(folder)], include_default_search_paths=False)
    # In the layer it is botocore's own folder, whose rules for endpoints botocore follows.
    loader.BUILTIN_DATA_PATH = str(folder)
    session.register_component("data_loader", loader)
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "secret", "token")
    return session


def _example(shape: Shape | None, deep: int = 0) -> Any:
    """A value that fills every member."""
    if shape is None:
        return {}
    if isinstance(shape, StructureShape):
        members = shape.members.items() if deep < _DEEPEST else ()
        return {name: _example(member, deep + 1) for name, member in members if name not in _NOT_SENT}
    if isinstance(shape, ListShape):
        return [_example(shape.member, deep + 1)]
    if isinstance(shape, MapShape):
        return {"name": _example(shape.value, deep + 1)}
    plain = {
        "string": "text-0123456789-0123456789",
        "boolean": True,
        "blob": b"bytes",
        "timestamp": datetime(2030, 1, 1, tzinfo=UTC),
    }
    return plain.get(shape.type_name, 7)


def _sent(session: Session, service: str, operation: str, region: str) -> tuple[Any, ...]:
    """What a call puts on the wire: method, URL, headers, body."""
    sent: list[AWSPreparedRequest] = []

    def stop(request: AWSPreparedRequest, **_: Any) -> None:
        sent.append(request)
        raise _StoppedError

    once = Config(retries={"total_max_attempts": 1})
    client = session.create_client(service, region_name=region, config=once)
    client.meta.events.register("before-send", stop)
    shape = client.meta.service_model.operation_model(operation).input_shape
    with pytest.raises(_StoppedError):
        getattr(client, xform_name(operation))(**_example(shape))
    [request] = sent
    headers: dict[str, Any] = {name.lower(): value for name, value in request.headers.items()}
    del headers["amz-sdk-invocation-id"]
    # The features that botocore used are a set, written in no order.
    headers["user-agent"] = sorted(re.split(rb"[ ,/]", headers["user-agent"]))
    # What S3 stores is read from a file.
    body: Any = request.body
    return request.method, request.url, headers, body.read() if hasattr(body, "read") else body


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(("service", "operation"), CALLS, ids=lambda part: part)
def test_requests_are_the_same(data: Path, service: str, operation: str, region: str) -> None:
    """Every member of every call that the broker makes is sent alike, signed for the same endpoint."""
    # Each of botocore's signers takes its time from here.
    with mock.patch("botocore.compat.datetime.datetime", _Frozen):
        trimmed, whole = (_sent(_session(folder), service, operation, region) for folder in (data, DATA))
    assert trimmed == whole


@pytest.mark.parametrize(("service", "operation"), CALLS, ids=lambda part: part)
def test_answers_and_errors_are_read_alike(data: Path, service: str, operation: str) -> None:
    """Output and errors have the shapes that they had."""

    def described(folder: Path) -> Any:
        model = _session(folder).create_client(service, region_name="eu-central-1").meta.service_model
        found = model.operation_model(operation)
        return [_described(found.output_shape), [_described(error) for error in found.error_shapes]]

    assert described(data) == described(DATA)


def _described(shape: Shape | None, deep: int = 0) -> Any:
    if shape is None:
        return None
    facts = (shape.name, shape.type_name, shape.serialization, shape.metadata)
    if isinstance(shape, StructureShape) and deep < _DEEPEST:
        return *facts, [(name, _described(member, deep + 1)) for name, member in shape.members.items()]
    if isinstance(shape, ListShape) and deep < _DEEPEST:
        return *facts, _described(shape.member, deep + 1)
    if isinstance(shape, MapShape) and deep < _DEEPEST:
        return *facts, _described(shape.key), _described(shape.value, deep + 1)
    return facts


def test_what_the_functions_call_is_there() -> None:
    """The operations that are left are those that the adapters call, and no others."""
    called = {name for path in SOURCES for name in _client_calls(ast.parse(path.read_text("utf-8")))}
    assert called == {xform_name(operation) for _, operation in CALLS}


def _client_calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case (
                ast.Attribute(value=ast.Attribute(attr="_client"), attr=name)
                | ast.Attribute(
                    # KMS's clients are by Region.
                    value=ast.Call(func=ast.Attribute(value=ast.Attribute(attr="_clients"))),
                    attr=name,
                )
            ):
                yield name


def test_only_the_present_versions_are_left(data: Path) -> None:
    """Nothing is left of other services and of earlier versions, and no documentation."""
    folders = {str(path.parent.relative_to(data)) for path in data.glob("*/*/*")}
    assert {folder.partition("/")[0] for folder in folders} == set(OPERATIONS)
    assert len(folders) == len(OPERATIONS)
    assert not any(
        re.search(r'"documentation":\s*"[^"]', path.read_text("utf-8")) for path in data.rglob(MODEL)
    )
    partitions = json.loads((data / ENDPOINTS).read_text("utf-8"))["partitions"]
    assert {name for each in partitions for name in each["services"]} == set(OPERATIONS)
