"""The Name of a KMS grant: with every table lost it still says what must end, and when."""

import re
from datetime import datetime

_NAME = re.compile(r"grant-broker/(?P<request>[0-9a-f]{32})/(?P<expiry>[0-9]{10})")


NAME_PREFIX = "grant-broker/"


def grant_name(request_id: str, expires_at: datetime) -> str:
    """`grant-broker/<request id>/<expiry, epoch seconds>`."""
    return f"{NAME_PREFIX}{request_id}/{int(expires_at.timestamp())}"


def parse_grant_name(name: str) -> tuple[str, int] | None:
    """The request id and the expiry (epoch seconds) in a grant's name, or None if it is not well formed."""
    match = _NAME.fullmatch(name)
    return (match["request"], int(match["expiry"])) if match else None
