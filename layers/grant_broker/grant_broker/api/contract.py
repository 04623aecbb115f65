"""The contract that a caller is shown: the kept OpenAPI document, as far as the caller may use it.

The document is read, not generated: pydantic's schemas would take a cold start's worth of time.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_KEPT = Path(__file__).with_name("openapi") / "openapi.json"
_THIRD_PARTIES = "third parties"


def contract_for(base_path: str, *, is_approver: bool) -> dict[str, Any]:
    """Return the OpenAPI document for one caller: an approver may use all of the API, others their side.

    `base_path` is what stands before the API's own paths in the caller's URL; empty where nothing does.
    """
    document = json.loads(_KEPT.read_text("utf-8"))
    shown = document if is_approver else _of_third_parties(document)
    return {**shown, "servers": [{"url": base_path or "/"}]}


def _of_third_parties(document: Mapping[str, Any]) -> dict[str, Any]:
    paths = _paths_of_third_parties(document["paths"])
    components = document["components"]
    schemas = _referred_to([paths, components["responses"]], components["schemas"])
    tags = [tag for tag in document["tags"] if tag["name"] == _THIRD_PARTIES]
    return {**document, "tags": tags, "paths": paths, "components": {**components, "schemas": schemas}}


def _paths_of_third_parties(paths: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operations of third parties, without links to any other."""
    kept = {
        path: {method: found for method, found in methods.items() if _THIRD_PARTIES in found["tags"]}
        for path, methods in paths.items()
    }
    names = {found["operationId"] for methods in kept.values() for found in methods.values()}
    for methods in kept.values():
        for found in methods.values():
            for answer in found["responses"].values():
                if "links" in answer:
                    answer["links"] = {name: link for name, link in answer["links"].items() if name in names}
    return {path: methods for path, methods in kept.items() if methods}


def _referred_to(parts: object, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas that these parts refer to, and those that the schemas refer to in turn."""
    found: set[str] = set()
    new = _names_in(parts)
    while new:
        found |= new
        new = {name for each in new for name in _names_in(schemas[each])} - found
    return {name: schema for name, schema in schemas.items() if name in found}


def _names_in(part: object) -> set[str]:
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(part)))
