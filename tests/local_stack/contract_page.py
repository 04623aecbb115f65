"""The contract as a page: the kept OpenAPI document for a browser, without scripts and from nowhere else."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from tests.local_stack.template import ROOT

PATH = "/openapi.html"
_KEPT = ROOT / "layers" / "grant_broker" / "grant_broker" / "api" / "openapi" / "openapi.json"
HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
]
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .2rem 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #8886; border-radius: .3rem; }
table { border-collapse: collapse; }
td, th { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top; }
"""


def page() -> str:
    """Return the page of the document as the repository keeps it."""
    document = json.loads(_KEPT.read_text("utf-8"))
    return "\n".join(_lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(info['title'])}</h1>"
    yield f"<p>{escape(info['description'])} Every call is signed with SigV4.</p>"
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'].capitalize())}</h2>"
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(document, f"{method.upper()} {path}", operation)
    yield "<h2>Schemas</h2>"
    for name, schema in document["components"]["schemas"].items():
        text = escape(json.dumps(schema, indent=1))
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<pre>{text}</pre></details>"
    yield "</body></html>"


def _operation(document: Mapping[str, Any], call: str, operation: Mapping[str, Any]) -> Iterator[str]:
    summary = escape(operation["summary"])
    yield f'<details id="{operation["operationId"]}"><summary><code>{escape(call)}</code> {summary}</summary>'
    if operation["parameters"]:
        rows = (
            f"<tr><td><code>{escape(p['name'])}</code><td>in {escape(p['in'])}"
            for p in operation["parameters"]
        )
        yield f"<table><tr><th>parameter<th>where{''.join(rows)}</table>"
    if "requestBody" in operation:
        body = operation["requestBody"]["content"]["application/json"]
        yield f"<p>Body: {_linked(body['schema'])}, such as</p>"
        yield f"<pre>{escape(json.dumps(body['example'], indent=1))}</pre>"
    yield "<table><tr><th>answer<th>what"
    for status, answer in operation["responses"].items():
        found = document["components"]["responses"][status] if "$ref" in answer else answer
        [schema] = [content["schema"] for content in found.get("content", {}).values()] or [{}]
        yield f"<tr><td>{status}<td>{escape(found['description'])} {_linked(schema)}"
    yield "</table></details>"


def _linked(schema: Mapping[str, Any]) -> str:
    name = escape(schema.get("$ref", "").rpartition("/")[2])
    return f'<a href="#{name}"><code>{name}</code></a>' if name else ""
