"""Leave of botocore's data what the broker's functions read. trim.py FOLDER: botocore/data, in a layer.

Each cold start lists the services there and parses the whole model of each that it makes a client of:
DynamoDB's and KMS's have a hundred operations, all documented. Requests stay what they were, byte for byte:
tests/infrastructure/test_trimmed_data.py.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Document = dict[str, Any]

# All that any function calls, by service; botocore takes the latest version of each.
OPERATIONS: Mapping[str, frozenset[str]] = {
    "dynamodb": frozenset({"BatchGetItem", "GetItem", "Query", "TransactWriteItems", "UpdateItem"}),
    "events": frozenset({"PutEvents"}),
    "kms": frozenset(
        {
            "CreateGrant",
            "DescribeKey",
            "GetKeyLastUsage",
            "GetKeyPolicy",
            "ListGrants",
            "ListKeyPolicies",
            "ListRetirableGrants",
            "RetireGrant",
            "RevokeGrant",
        }
    ),
    "lambda": frozenset({"Invoke"}),
    "s3": frozenset({"GetObject", "ListObjectsV2", "PutObject"}),
    "sns": frozenset({"Publish"}),
    "sqs": frozenset({"SendMessageBatch"}),
}
MODEL, RULES, ENDPOINTS = "service-2.json", "endpoint-rule-set-1.json", "endpoints.json"


def trim(data: Path) -> None:
    """Trim botocore's data in place."""
    for folder in [path for path in data.iterdir() if path.is_dir()]:
        if folder.name in OPERATIONS:
            _trim_service(folder)
        else:
            shutil.rmtree(folder)
    _write(data / ENDPOINTS, trimmed_endpoints(_read(data / ENDPOINTS)))


def _trim_service(service: Path) -> None:
    *earlier, latest = sorted(service.iterdir())
    model, rules = _whole_model(latest), _read(latest / RULES)
    for folder in (*earlier, latest):
        shutil.rmtree(folder)
    latest.mkdir()
    _write(latest / MODEL, trimmed_model(model, OPERATIONS[service.name]))
    _write(latest / RULES, rules)


def _whole_model(folder: Path) -> Document:
    """A service's model, with what botocore adds to it of its own."""
    model = _read(folder / MODEL)
    for path in folder.glob("service-2.sdk-extras.json*"):
        _merge(model, _read(folder / path.name.removesuffix(".gz"))["merge"])
    return model


def _merge(into: Document, more: Document) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def trimmed_model(model: Document, operations: frozenset[str]) -> Document:
    """A service's model with these operations and the shapes that they need, without documentation."""
    kept = {name: found for name, found in model["operations"].items() if name in operations}
    needed: set[str] = set()
    left = list(_shapes_of(kept))
    while left:
        if (name := left.pop()) not in needed:
            needed.add(name)
            left += _shapes_of(model["shapes"][name])
    # In the order of the whole model, which is the order in which members are written.
    shapes = {name: shape for name, shape in model["shapes"].items() if name in needed}
    left_of = {**model, "operations": kept, "shapes": shapes}
    slim = {name: _slim(part) for name, part in left_of.items() if name != "documentation"}
    # botocore makes no client where these have none at all.
    named = model.get("clientContextParams", {})
    told = {name: {**found, "documentation": ""} for name, found in named.items()}
    return {**slim, "clientContextParams": told} if told else slim


def trimmed_endpoints(endpoints: Document) -> Document:
    """The partitions and their Regions, with the endpoints of no services but these."""
    return {**endpoints, "partitions": [_of_these_services(each) for each in endpoints["partitions"]]}


def _of_these_services(partition: Document) -> Document:
    services = {name: found for name, found in partition["services"].items() if name in OPERATIONS}
    return {**partition, "services": services}


def _shapes_of(part: object) -> Iterator[str]:
    """The names of the shapes that a part of a model refers to."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "shape" and isinstance(value, str):
                yield value
            else:
                yield from _shapes_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from _shapes_of(value)


def _slim(part: object) -> object:
    """A part of a model without documentation; a member may bear that name too, and is no text then."""
    if isinstance(part, list):
        return [_slim(value) for value in part]
    if not isinstance(part, dict):
        return part
    texts = {name for name, value in part.items() if name == "documentation" and isinstance(value, str)}
    return {name: _slim(value) for name, value in part.items() if name not in texts}


def _read(path: Path) -> Document:
    packed = path.with_name(f"{path.name}.gz")
    text = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    found: Document = json.loads(text)
    return found


def _write(path: Path, document: Document) -> None:
    path.write_text(json.dumps(document, separators=(",", ":")), "utf-8")


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
