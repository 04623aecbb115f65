"""botocore's own data, without the operations that nobody calls."""

import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.layer import Layer

# All that any function calls.
OPERATIONS = {
    "dynamodb": (
        "BatchGetItem", "GetItem", "PutItem", "Query", "TransactGetItems", "TransactWriteItems", "UpdateItem",
    ),
    "kms": (
        "CreateGrant", "DescribeKey", "GetKeyPolicy", "ListGrants", "ListRetirableGrants", "RetireGrant",
        "RevokeGrant",
    ),
}  # fmt: skip
_SHARED = ("endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json")


def trim(layer: Layer) -> Path:
    """Write a folder that botocore takes for its own data, with the models of `OPERATIONS` alone."""
    source = layer.libraries / "botocore" / "data"
    target = Path(tempfile.mkdtemp(dir=layer.package))
    for name in _SHARED:
        (target / name).write_bytes(_read(source, name))
    for service, operations in OPERATIONS.items():
        version = max((source / service).iterdir())  # botocore too takes the latest
        folder = target / service / version.name
        folder.mkdir(parents=True)
        model = json.loads(_read(version, "service-2.json"))
        (folder / "service-2.json").write_text(json.dumps(trimmed(model, operations)), "utf-8")
        (folder / "endpoint-rule-set-1.json").write_bytes(_read(version, "endpoint-rule-set-1.json"))
    return target


def trimmed(model: dict[str, Any], operations: tuple[str, ...]) -> dict[str, Any]:
    """A service's model with these operations and the shapes that they need; no documentation."""
    kept = {name: model["operations"][name] for name in operations}
    needed: set[str] = set()
    left = list(_shapes(kept))
    while left:
        name = left.pop()
        if name not in needed:
            needed.add(name)
            left += _shapes(model["shapes"][name])
    shapes = {name: shape for name, shape in model["shapes"].items() if name in needed}
    slim: dict[str, Any] = _without_documentation({**model, "operations": kept, "shapes": shapes})
    return slim


def _shapes(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "shape" and isinstance(value, str):
                yield value
            else:
                yield from _shapes(value)
    elif isinstance(part, list):
        for value in part:
            yield from _shapes(value)


def _without_documentation(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: _without_documentation(value)
            for name, value in part.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_without_documentation(value) for value in part] if isinstance(part, list) else part


def _read(folder: Path, name: str) -> bytes:
    packed = folder / f"{name}.gz"
    return gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()
