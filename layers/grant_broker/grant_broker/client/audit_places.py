"""Where an auditor's commands read: the tables and the archive, by the stack or by their names."""

from collections.abc import Callable
from typing import TypedDict

from grant_broker.aws.archive import Archive
from grant_broker.aws.clients import Clients
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.store import Store
from grant_broker.client.stack import read_facts, stack_options

places_options = stack_options("request_table", "approval_table", "archive_bucket")
"""Declares the options that `Places` has."""


class Places(TypedDict):
    """The stack, or its tables and its archive."""

    stack: str | None
    request_table: str | None
    approval_table: str | None
    archive_bucket: str | None


def open_places(places: Places, aws: Callable[[], Clients]) -> tuple[Store, Archive | None]:
    """Open the tables, and the archive if there is one. MissingOptionError; botocore's errors pass."""
    given = {"request_table": places["request_table"], "archive_bucket": places["archive_bucket"]}
    # Without a stack the approval table may be left out: what it holds is then not compared.
    if places["stack"] or places["approval_table"]:
        given["approval_table"] = places["approval_table"]
    named = read_facts(places["stack"], given, aws)
    store = Store(
        DynamoDb(aws().dynamodb()),
        request_table=named["request_table"],
        approval_table=named.get("approval_table"),
    )
    bucket = named.get("archive_bucket")
    return store, Archive(aws().s3(), bucket) if bucket else None
