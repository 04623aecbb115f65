"""AWS's published test suite for Signature Version 4: each of its signed requests verifies, and no other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.local_aws.answers import AwsError
from tests.local_aws.identities import Credentials
from tests.local_aws.sigv4 import verify

_FILE = Path(__file__).resolve().parent / "sigv4-test-suite.txt"
_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
_NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


@dataclass(frozen=True)
class Signed:
    """A signed request of the suite."""

    name: str
    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def token(self) -> str:
        """The session token, empty where it has none."""
        return self.headers.get("x-amz-security-token", "")

    def verified(self, secret: str = _SECRET) -> str:
        """The ARN of whom the signature is. Raises AwsError."""
        caller = Credentials(
            "arn:aws:iam::111122223333:user/u", "111122223333", "AKIDEXAMPLE", secret, self.token
        )
        url, body = f"https://example.amazonaws.com{self.target}", self.body.encode()
        found, _ = verify(
            self.method,
            url,
            self.headers,
            body,
            find={"AKIDEXAMPLE": caller}.get,
            now=_NOW,
            services=frozenset({"service"}),
            regions=frozenset({"us-east-1"}),
        )
        return found.arn


def _suite() -> Iterator[Signed]:
    for part in _FILE.read_text(encoding="utf-8").split("### ")[1:]:
        name, request, *_ = part.split("\n", 2)
        head, _, body = part.split("\n", 2)[2].partition("\n\n")
        method, target = re.fullmatch(r"(\S+) (.*) HTTP/1.1", request).groups()  # type: ignore[union-attr]
        headers: dict[str, str] = {}
        # The suite signs a folded header as if each of its lines were a value of its own.
        for line in re.sub(r"\n\s+", ",", head).split("\n"):
            key, _, value = line.partition(":")
            joined = f"{headers[key.lower()]},{value}" if key.lower() in headers else value
            headers[key.lower()] = joined
        yield Signed(name, method, target, headers, body.rstrip("\n"))


SUITE = {each.name: each for each in _suite()}
each_request = pytest.mark.parametrize("signed", SUITE.values(), ids=SUITE)


def test_suite() -> None:
    """The suite is read whole: 28 requests, one of them with a header of three lines."""
    assert len(SUITE) == 28
    assert SUITE["get-header-value-multiline"].headers["my-header1"] == "value1,value2,value3"
    assert SUITE["post-x-www-form-urlencoded"].body == "Param1=value1"


@each_request
def test_published_request(signed: Signed) -> None:
    """A request with the signature that AWS published for it is its signer's."""
    assert signed.verified().endswith("/u")


@each_request
def test_changed_request(signed: Signed) -> None:
    """Of each, another signature, secret, method, target, body or header is refused."""
    authorization = signed.headers["authorization"]
    last = "0" if authorization[-1] != "0" else "1"
    changes = [
        replace(signed, headers={**signed.headers, "authorization": authorization[:-1] + last}),
        replace(signed, headers={**signed.headers, "host": "example.org"}),
        replace(signed, method="PUT"),
        replace(signed, target=f"{signed.target}{'&' if '?' in signed.target else '?'}more=1"),
        replace(signed, body=f"{signed.body}x"),
    ]
    if "my-header1" in signed.headers:
        changes.append(replace(signed, headers={**signed.headers, "my-header1": "other"}))
    for changed in changes:
        with pytest.raises(AwsError):
            changed.verified()
    with pytest.raises(AwsError, match="does not match"):
        signed.verified("another secret")
