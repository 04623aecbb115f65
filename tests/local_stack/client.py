"""A signed HTTP client, as a third party's engineer would write it with botocore."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys

from tests.local_aws.cloud import Credentials

_TIMEOUT = 60


@dataclass(frozen=True)
class Answer:
    """An API answer; `body` is its JSON, or None."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Client:
    """Calls the API at `url` as one principal."""

    url: str
    region: str
    credentials: Credentials
    service: str = "execute-api"

    def call(
        self, method: str, path: str, body: Any = None, *,
        query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """Sign and send one call; a body that is neither None nor bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        target = self.url + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        given = {"Content-Type": "application/json", **(headers or {})} if data else dict(headers or {})
        signed = self.signed(method, target, data, given)
        return send(method, target, signed, data)

    def signed(self, method: str, url: str, data: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers of a signed call."""
        who = self.credentials
        request = AWSRequest(method, url, headers=dict(headers), data=data)
        keys = Keys(who.access_key_id, who.secret_access_key, who.session_token or None)
        SigV4Auth(keys, self.service, self.region).add_auth(request)
        return dict(request.headers.items())


def send(method: str, url: str, headers: Mapping[str, str], data: bytes) -> Answer:
    """Send one request as it is."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT)
    try:
        connection.request(method, url.removeprefix(f"http://{parts.netloc}"), data or None, dict(headers))
        answer = connection.getresponse()
        text = answer.read()
        body = json.loads(text) if text else None
        return Answer(answer.status, body, dict(answer.headers.items()))
    finally:
        connection.close()
