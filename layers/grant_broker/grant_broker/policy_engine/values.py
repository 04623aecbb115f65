"""Typed condition values: numbers, dates, networks, bytes. Each reader raises ValueError on anything else."""

import base64
import re
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_network
from typing import NamedTuple

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
# The W3C's forms of ISO 8601, which are all that IAM documents, besides seconds since 1970.
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_EPOCH = re.compile(r"-?\d{5,}(?:\.\d+)?|-?\d{1,3}", re.ASCII)
_NETWORK = re.compile(r"[0-9a-fA-F.:]+(?:/\d{1,3})?", re.ASCII)


def number(text: str) -> Decimal:
    """A whole or decimal number."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text}")
    return Decimal(text)


def date(text: str) -> Decimal:
    """Seconds since 1970 of an ISO 8601 date or of an epoch time. A time without a zone is UTC.

    Four digits are a year. A date without a time is its midnight, UTC.
    """
    if _EPOCH.fullmatch(text):
        return Decimal(text)
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(f"not a date: {text}")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    written = f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    moment = datetime.fromisoformat(written + (zone or "Z").upper())
    return Decimal(int((moment - _1970).total_seconds())) + Decimal(fraction or 0)


class Network(NamedTuple):
    """The addresses of a range as numbers, first and last included."""

    version: int
    first: int
    last: int

    def within(self, other: "Network") -> bool:
        """Whether every address of this range is one of the other's."""
        return self.version == other.version and other.first <= self.first and self.last <= other.last


def network(text: str) -> Network:
    """An address or a CIDR range; bits beyond the prefix do not matter."""
    if not _NETWORK.fullmatch(text):
        raise ValueError(f"not an address or range: {text}")
    read = ip_network(text, strict=False)
    return Network(read.version, int(read.network_address), int(read.broadcast_address))


def binary(text: str) -> bytes:
    """The bytes behind a base64 text."""
    return base64.b64decode(text, validate=True)


def boolean(text: str) -> bool:
    """`true` or `false`, in any case."""
    if text.lower() not in ("true", "false"):
        raise ValueError(f"neither true nor false: {text}")
    return text.lower() == "true"


_1970 = datetime(1970, 1, 1, tzinfo=UTC)
