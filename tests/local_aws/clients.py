"""Clients of services whose names are known at run time only."""

from typing import Any

import boto3


def client_of(session: boto3.Session, service: str, **parameters: Any) -> Any:
    """A session's client of a service: botocore's types want the name written out."""
    untyped: Any = session
    return untyped.client(service, **parameters)
