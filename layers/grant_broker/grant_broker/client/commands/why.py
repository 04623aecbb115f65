"""`grant-broker why`: one cause and one next step for a call that KMS refused."""

from datetime import datetime
from typing import TextIO

import click

from grant_broker.access_report.why import read_refusal
from grant_broker.api.shapes.third_parties import Explanation
from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.arguments import CONTEXT, TIME
from grant_broker.client.asked import Question
from grant_broker.client.printing import print_fields, printable
from grant_broker.domain.times import format_time

_MOST = 4_096
"""Characters of AWS's error that the API reads."""


@click.command("why", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.option("--error", type=click.File("r"), help="AWS's answer, as it was shown; - is the standard input.")
@click.option("--action", help="The operation, such as Encrypt, where the error does not name it.")
@click.option("--context", type=CONTEXT, multiple=True, help="A pair that the call sent; repeat it for more.")
@click.option("--no-context", is_flag=True, help="The call sent no encryption context.")
@click.option("--principal", metavar="ARN", help="Who called, where the error is silent; else the grantee.")
@click.option("--at", type=TIME, help="When; else now.")
@click.option("--size", type=click.IntRange(min=0), help="The plaintext's bytes.")
@click.option("--whole-policy", is_flag=True, help="Weigh the whole key policy, as the security team may.")
@click.pass_obj
def command(
    api: Api,
    *,
    request_id: str,
    error: TextIO | None,
    action: str | None,
    context: tuple[tuple[str, str], ...],
    no_context: bool,
    principal: str | None,
    at: datetime | None,
    size: int | None,
    whole_policy: bool,
) -> None:
    """Explain why KMS allows or refuses a call under a request's grant."""
    text = " ".join(printable(" ".join(error.read().split())).split())[:_MOST] if error else None
    action = action or (read_refusal(text).action if text else None)
    if action is None:
        raise click.UsageError("nothing says which operation it was: give --action, such as Encrypt")
    if context and no_context:
        raise click.UsageError("give --context or --no-context")
    told = bool(context) or no_context
    question: Question = {"action": action, "context": dict(context) if told else None}
    if text:
        question["error"] = text
    if principal:
        question["principal"] = principal
    if at:
        question["at"] = format_time(at)
    if size is not None:
        question["size"] = size
    side = api.client.security if whole_policy else api.client
    explanation = side.explain(request_id, question)
    api.show(explanation, lambda: _print(explanation))


def _print(explanation: Explanation) -> None:
    print_fields(
        [
            ("verdict", explanation["verdict"].replace("_", " ")),
            ("because", explanation["because"]),
            ("next", explanation["next"]),
        ]
    )
