"""`grant-broker debt`: what falls due, and how late it would come."""

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.printing import moment, print_fields, print_table


@click.command("debt", cls=ApiCommand)
@click.option("--minutes", "by_minute", is_flag=True, help="By the minute, for the next hour.")
@click.pass_obj
def command(api: Api, *, by_minute: bool) -> None:
    """Show what falls due, and how late it would come at the present rate."""
    debt = api.client.security.get_debt()
    parts = debt["minutes"] if by_minute else debt["hours"]

    def print_it() -> None:
        not_believed = "more than there are live grants: nobody is refused for them, look at the alarms"
        print_fields(
            [
                ("end rate", f"{debt['end_rate']} a second"),
                ("debt", f"{debt['debt_seconds']} s"),
                ("overdue", str(debt["overdue"])),
                ("counted", "" if debt["believed"] else not_believed),
            ]
        )
        busy = [(moment(part["at"]), str(part["due"])) for part in parts if part["due"]]
        print_table(("FROM", "DUE"), busy)

    api.show(debt, print_it)
