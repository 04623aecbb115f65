#!/usr/bin/env python3
"""What only the transformed template shows, or a failure: integrations.py FILE.

Every integration calls its function with the function's own permission (no `credentials`, with which calls
across accounts fail), every method asks for a signature, and the resource policy came along.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def methods_of(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The API's operations by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in body["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def faults(body: dict[str, Any]) -> Iterator[str]:
    """Everything that is wrong with the API's definition."""
    for name, operation in methods_of(body).items():
        if "credentials" in operation["x-amazon-apigateway-integration"]:
            yield f"{name} carries credentials"
        if operation.get("security") != [{"AWS_IAM": []}]:
            yield f"{name} is not signed"
    if not body.get("x-amazon-apigateway-policy", {}).get("Statement"):
        yield "the resource policy is missing"
    if not methods_of(body):
        yield "there is no method"


def main() -> None:
    """Read the template; its faults are an error."""
    template = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    (api,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::ApiGateway::RestApi")
    body = api["Properties"]["Body"]
    if found := list(faults(body)):
        sys.exit("\n".join(found))
    print(f"{len(methods_of(body))} methods, signed, without credentials")


if __name__ == "__main__":
    main()
