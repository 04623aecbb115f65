"""What a stack costs a month."""

import json

import pytest

from grant_broker.client.costs import MEMORY, Work, monthly, staying
from grant_broker.client.main import main
from tests.support.documents import page


def test_staying() -> None:
    """Without ends a run of expiry goes home; with one every second it stays for all that it covers."""
    assert staying(0) == 0
    assert staying(3_000_000) == pytest.approx(130, abs=2)
    assert 0 < staying(100) < staying(1000) < staying(100_000) <= 130


def test_more_costs_more() -> None:
    """Each figure adds to the bill, and to its own lines."""
    idle = monthly(requests=0, live=0, ends=0)
    assert monthly(requests=1000, live=0, ends=0).lines["API Gateway"] > idle.lines["API Gateway"] == 0
    assert monthly(requests=0, live=100, ends=0).lines["DynamoDB"] > idle.lines["DynamoDB"]
    assert monthly(requests=0, live=0, ends=1000).lines["Lambda"] > idle.lines["Lambda"]
    archived = monthly(requests=0, live=0, ends=0, archived=1000)
    assert archived.lines["S3"] > 0
    assert archived.lines["DynamoDB"] > idle.lines["DynamoDB"]
    assert idle.total == pytest.approx(sum(idle.lines.values()))


@pytest.mark.parametrize("function", MEMORY)
def test_seconds(function: str) -> None:
    """A call is waited for, and a smaller function is busy for longer."""
    assert Work(function, dynamodb=1).seconds() > 0.006
    assert Work("events", kms=1).seconds() > Work("reconcile", kms=1).seconds()


@pytest.mark.parametrize(
    ("requests", "live"), [(0, 0), (3_000, 10), (30_000, 100), (300_000, 1_000)], ids=str
)
def test_the_documents_show_it(requests: int, live: int) -> None:
    """The operator's table is what the command prints."""
    bill = monthly(requests=requests, live=live, ends=requests)
    parts = [bill.lines["Lambda"], bill.lines["DynamoDB"], bill.compute_and_database, bill.total]
    row = f"| {requests:,} | {live:,} | {requests:,} | {' | '.join(f'{part:.2f}' for part in parts)} |"
    assert row in page("operator").splitlines()


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A table with the date of its prices, or one JSON object; as many ends as requests unless said."""
    assert main(["cost", "--requests", "3000", "--live", "10"]) == 0
    shown = capsys.readouterr().out
    assert "Lambda and DynamoDB" in shown
    assert "list prices of November 2025" in shown
    assert main(["cost", "--requests", "3000", "--live", "10", "--ends", "3000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert f"{found['all']:.2f}" in shown
    assert main(["cost", "--requests", "3000", "--ends", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["all"] < found["all"]
