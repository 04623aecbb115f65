"""A census of 50,000 mixed grants in bounded memory, and what KMS tells of a key's last use."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.client.census.reading import Census
from grant_broker.client.census.reports import HtmlReport, JsonReport, TableReport
from grant_broker.client.census.seen import Listener

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_PAGE = 100


class StubKms:
    """KMS with one key and as many grants, made when their page is asked for."""

    def __init__(self, grants: int = 0, last_use: Any = None) -> None:
        self._grants = grants
        if last_use is not None:
            self.get_key_last_usage = last_use

    def get_paginator(self, operation: str) -> "StubKms":
        """One for keys or aliases."""
        self._operation = operation
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        """The one key; one alias of it, and one of no key yet."""
        if self._operation == "list_keys":
            yield {"Keys": [{"KeyArn": KEY, "KeyId": KEY.rpartition("/")[2]}]}
        else:
            yield {"Aliases": [{"AliasName": "alias/aws/ebs"}]}

    def describe_key(self, **_: Any) -> dict[str, Any]:
        """The key."""
        return {
            "KeyMetadata": {
                "KeyManager": "CUSTOMER", "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyUsage": "ENCRYPT_DECRYPT", "CreationDate": NOW - timedelta(days=400),
            }
        }  # fmt: skip

    def list_grants(self, *, Limit: int, Marker: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        """One page."""
        start = int(Marker)
        end = min(start + Limit, self._grants)
        page = [_grant(number) for number in range(start, end)]
        more = {"Truncated": True, "NextMarker": str(end)} if end < self._grants else {"Truncated": False}
        return {"Grants": page, **more}


def _grant(number: int) -> dict[str, Any]:
    """A third are a service's, a third by hand and different, a third copies of another."""
    kind = number % 3
    return {
        "GrantId": f"{number:064x}",
        "KeyId": KEY,
        "GranteePrincipal": "dynamodb.eu-central-1.amazonaws.com" if kind == 0 else _role(number % 97),
        "Operations": ["Encrypt", "Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"tenant": str(number) if kind == 1 else "same"}},
        "CreationDate": NOW - timedelta(days=number % 365),
        "IssuingAccount": "arn:aws:iam::111122223333:root",
    }


def _role(number: int) -> str:
    return f"arn:aws:iam::444455556666:role/application-{number}"


class Size:
    """Takes what is written, and keeps its length alone."""

    def __init__(self) -> None:
        self.characters = 0

    def __call__(self, text: str) -> None:
        self.characters += len(text)


def peak_of(report: Callable[[Size], Listener], grants: int) -> tuple[int, int]:
    """The most bytes held at a time, and how many characters were written."""
    size = Size()
    kms: Any = StubKms(grants)
    tracemalloc.start()
    try:
        Census(lambda _: kms, [report(size)], NOW).take(["eu-central-1"])
        return tracemalloc.get_traced_memory()[1], size.characters
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("report", "grants", "most"),
    [(JsonReport, 50_000, 4_000_000), (HtmlReport, 5_000, 1_000_000), (TableReport, 5_000, 1_000_000)],
)
def test_bounded_memory(report: Callable[[Size], Listener], grants: int, most: int) -> None:
    """Of 50,000 grants only the marks that find copies are held, and in no form any of the report."""
    peak, written = peak_of(report, grants)
    assert peak < most
    assert written > 250 * grants * (1 if report is not TableReport else 0.5)


def taken(kms: Any) -> Any:
    """The JSON report of a census."""
    texts: list[str] = []
    Census(lambda _: kms, [JsonReport(texts.append)], NOW).take(["eu-central-1"])
    return json.loads("".join(texts))


def test_counts() -> None:
    """Who made how many, and how many are copies, over all pages."""
    counts = taken(StubKms(350))["counts"]
    assert (counts["grants"], counts["human_grants"], counts["service_grants"]) == (350, 233, 117)
    # Of the copies one in each of 97 roles is the first of its like.
    assert counts["findings"]["duplicate_grant"] == 116 - 97
    assert counts["findings"]["cross_account_grant"] == 233


@pytest.mark.parametrize(
    ("answer", "told", "words"),
    [
        (
            {"KeyLastUsage": {"Operation": "Encrypt", "Timestamp": NOW}, "TrackingStartDate": NOW},
            {"operation": "Encrypt", "at": "2026-03-01T00:00:00Z", "seen_since": "2026-03-01T00:00:00Z"},
            "last used 2026-03-01T00:00:00Z (Encrypt)",
        ),
        (
            {"TrackingStartDate": NOW, "KeyCreationDate": NOW - timedelta(days=1)},
            {"operation": None, "at": None, "seen_since": "2026-03-01T00:00:00Z"},
            "no use seen since 2026-03-01T00:00:00Z",
        ),
    ],
)
def test_last_use(answer: dict[str, Any], told: dict[str, Any], words: str) -> None:
    """A key's last use is told where KMS tells it; that none was seen holds since KMS looks only."""
    kms = StubKms(last_use=lambda **_: answer)
    assert taken(kms)["keys"][0]["last_use"] == told
    texts: list[str] = []
    census: Any = kms
    Census(lambda _: census, [TableReport(texts.append)], NOW).take(["eu-central-1"])
    assert words in texts[0]


def test_no_last_use() -> None:
    """A KMS or a botocore that does not know the question yet costs nothing but the answer."""

    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetKeyLastUsage")

    for kms in (StubKms(), StubKms(last_use=refuse)):
        assert taken(kms)["keys"][0]["last_use"] is None
