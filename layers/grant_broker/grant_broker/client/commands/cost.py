"""`grant-broker cost`: what a stack costs a month, from counted work and AWS's prices."""

import json

import click

from grant_broker.client.costs import PRICES_OF, monthly
from grant_broker.client.printing import table

_HEADER = ("FOR", "USD A MONTH")


@click.command("cost")
@click.option("--requests", type=click.IntRange(min=0), default=0, help="Covered requests a month.")
@click.option("--live", type=click.IntRange(min=0), default=0, help="Grants that live at a time.")
@click.option("--ends", type=click.IntRange(min=0), help="Ends a month; as many as requests by default.")
@click.option("--keys", type=click.IntRange(min=0), default=1, help="Registered keys.")
@click.option(
    "--regions", type=click.IntRange(min=0), default=0, help="Regions of keys beside the stack's own."
)
@click.option(
    "--archived", type=click.IntRange(min=0), default=0, help="Requests moved to the archive a month."
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(
    *, requests: int, live: int, ends: int | None, keys: int, regions: int, archived: int, as_json: bool
) -> int:
    """Estimate what a stack costs a month.

    From calls that are counted on the local stack and AWS's list prices; how long calls take is assumed.
    Without storage, logs, traces, mails and a key of one's own.
    """
    ends = requests if ends is None else ends
    bill = monthly(requests=requests, live=live, ends=ends, keys=keys, regions=regions, archived=archived)
    lines = {**bill.lines, "Lambda and DynamoDB": bill.compute_and_database, "all": bill.total}
    if as_json:
        print(json.dumps({name: round(dollars, 2) for name, dollars in lines.items()}))
        return 0
    for line in table(_HEADER, [(name, f"{dollars:.2f}") for name, dollars in lines.items()]):
        print(line)
    print(f"Prices: {PRICES_OF}.")
    return 0
