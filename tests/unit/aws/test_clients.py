"""The AWS clients: how often and how long they try."""

import boto3

from grant_broker.aws.clients import Clients, clients


def test_clients() -> None:
    """KMS is never asked twice by the SDK where it changes something, and given up after 3 s."""
    made = Clients(boto3.Session(region_name="eu-central-1").client)
    attempts = [
        (client.meta.config.retries["total_max_attempts"], client.meta.config.read_timeout)  # type: ignore[attr-defined]
        for client in (made.kms(), made.reading_kms(), made.dynamodb())
    ]
    assert attempts == [(1, 3), (8, 5), (3, 3)]
    telling = [
        client.meta.config.read_timeout  # type: ignore[attr-defined]
        for client in (made.events(), made.sns(), made.sqs())
    ]
    assert telling == [5, 5, 5]


def test_one_session() -> None:
    """A process has one session, and so one set of service models."""
    clients.cache_clear()
    assert clients() is clients()
    clients.cache_clear()
