"""The AWS clients: how often and how long they try."""

import boto3

from grant_broker.aws.clients import Clients, clients
from grant_broker.expiry.run import END_WORKERS, REST_WORKERS
from tests.support.one_kms import REGION


def test_clients() -> None:
    """KMS is never asked twice by the SDK where it changes something, and given up after 3 s."""
    made = Clients(boto3.Session(region_name=REGION).client)
    attempts = [
        (client.meta.config.retries["total_max_attempts"], client.meta.config.read_timeout)  # type: ignore[attr-defined]
        for client in (made.kms(REGION), made.reading_kms(REGION), made.dynamodb())
    ]
    assert attempts == [(1, 3), (8, 5), (3, 3)]
    telling = [
        client.meta.config.read_timeout  # type: ignore[attr-defined]
        for client in (made.events(), made.sns(), made.sqs())
    ]
    assert telling == [5, 5, 5]


def test_every_thread_of_a_run_keeps_its_connection() -> None:
    """Those that end grants, those of the rest, the one of its rounds, and the run's own."""
    made = Clients(boto3.Session(region_name=REGION).client)
    threads = END_WORKERS + REST_WORKERS + 1 + 1
    for client in (made.kms(REGION), made.dynamodb()):
        assert client.meta.config.max_pool_connections >= threads  # type: ignore[attr-defined]


def test_one_session() -> None:
    """A process has one session, and so one set of service models."""
    clients.cache_clear()
    assert clients() is clients()
    clients.cache_clear()
