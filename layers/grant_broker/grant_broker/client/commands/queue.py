"""`grant-broker queue`: what waits for the security team."""

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.key_naming import name_or_arn
from grant_broker.client.tables import print_queue


@click.command("queue", cls=ApiCommand)
@click.option("--key", help="Only of this key: its name, id or ARN.")
@click.option("--account", help="Only of this account.")
@click.pass_obj
def command(api: Api, *, key: str | None, account: str | None) -> None:
    """List what waits for a decision, the one that lapses first at the head."""
    key = key and name_or_arn(key, api.client.security.list_keys)
    requests = list(api.client.security.list_requests(order="answer_by", key=key, account=account))

    def print_them() -> None:
        names = api.managed_names | {
            each["account"]: each["name"] for each in api.client.security.list_accounts()
        }
        print_queue(requests, names)

    api.show(requests, print_them)
