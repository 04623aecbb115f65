"""A DynamoDB in a process of its own, written by others than moto: the same tests can run on it too."""

import secrets

import urllib3

from tests.local_aws.answers import Response
from tests.local_aws.requests import Request

_PASSED_ON = ("content-type", "x-amz-target")


class SecondDatabase:
    """DynamoDB Local at an endpoint. It keeps tables apart by access key: each cloud has its own."""

    def __init__(self, url: str, region: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(maxsize=64)
        # The caller was verified and decided on already; this signature is looked at by nobody.
        scope = f"{secrets.token_hex(10).upper()}/20300101/{region}/dynamodb/aws4_request"
        signed = f"SignedHeaders=host, Signature={'0' * 64}"
        self._authorization = f"AWS4-HMAC-SHA256 Credential={scope}, {signed}"

    def forward(self, request: Request) -> Response:
        """Its answer; urllib3's errors where there is none."""
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        answer = self._pool.request(
            "POST",
            self._url,
            body=request.body,
            headers=headers | {"authorization": self._authorization, "x-amz-date": "20300101T000000Z"},
            retries=False,
        )
        return answer.status, dict(answer.headers), answer.data
