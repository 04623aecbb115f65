"""`grant-broker call`: any call of the API, signed."""

import json
import sys
from pathlib import Path

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.arguments import Parsed
from grant_broker.client.printing import print_json


def _json(text: str) -> object:
    try:
        found: object = json.loads(Path(text[1:]).read_text("utf-8") if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise ValueError(f"{text!a}: give JSON, or @FILE: {error}") from error
    return found


@click.command("call", cls=ApiCommand)
@click.argument("method", type=click.Choice(["GET", "POST", "PUT", "PATCH", "DELETE"], case_sensitive=False))
@click.argument("path")
@click.argument("body", type=Parsed("JSON", _json), required=False)
@click.pass_obj
def command(api: Api, *, method: str, path: str, body: object) -> None:
    """Call anything of the API: GET /requests?limit=1. BODY is JSON, or @FILE. Prints the answer's JSON."""
    path = path if path.startswith("/") else f"/{path}"
    answer = api.client.call(method, path, body)
    if answer.body is not None:
        print_json(answer.body)
    else:
        print(answer.status, file=sys.stderr)
