"""Signed calls of the API: SigV4 with botocore's credentials, repeated where that helps and is safe."""

import json
import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlencode, urlsplit

import botocore
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError, SSLError
from botocore.exceptions import ConnectionError as NotConnectedError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from grant_broker.client.errors import (
    BY_CODE,
    BlockedError,
    CredentialsError,
    InvalidArgumentError,
    NoAnswerError,
    ProblemError,
    UnexpectedAnswerError,
)

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import ReadOnlyCredentials

    from grant_broker.api.shapes.third_parties import Problem

ATTEMPTS = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 60.0
_RANDOM = random.SystemRandom()
ATTEMPTS_TO_CONNECT = 4
"""With their pauses some two seconds, 3.5 at most: a wrong address is not worth more."""
_TIMEOUT = (3, 35)
"""Seconds to connect and to answer: API Gateway gives up after 29."""
_SUCCESS = 400
"""A status below is one."""
# Throttled, or the outcome is not known. The same call again is safe: a POST carries an Idempotency-Key, and
# the others mean the same a second time.
_REPEATED = {429, 500, 502, 503, 504}
_REGION_OF_HOST = re.compile(r"[^.]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True)
class Answer:
    """A successful answer: its JSON, None where there is none."""

    status: int
    body: object
    headers: Mapping[str, str]

    @property
    def retry_after(self) -> int | None:
        """Seconds after which it is worth asking again; None where nothing changes by itself."""
        return _seconds(self.headers)


class Connection:
    """Calls the API at `url`, with the credentials of a session."""

    def __init__(
        self,
        url: str,
        session: "boto3.Session",
        *,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._session = session
        self._region = signing_region(url, session)
        self._attempts = attempts
        self.sleep = sleep
        # The stubs know no pair of timeouts.
        self._http = URLLib3Session(proxies=get_environ_proxies(url), timeout=_TIMEOUT)  # type: ignore[arg-type]

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call, and repeat with growing pauses what was throttled or had no answer.

        None in the query is left out. Raises ProblemError for a refusal; NoAnswerError, CredentialsError,
        UnexpectedAnswerError, InvalidArgumentError.
        """
        url = self.url + path + _query(query or {})
        given = _headers(method, body, headers or {})
        data = _encode(body)
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._call_once(method, url, given, data)
            except (NoAnswerError, ProblemError, UnexpectedAnswerError) as error:
                pause = _pause(error, attempt)
                if pause is None or attempt >= self._attempts_for(error):
                    raise
            self.sleep(pause)

    def _attempts_for(self, error: Exception) -> int:
        """How often a call is tried that fails so: where no connection comes about it was never sent."""
        connected = not isinstance(error.__cause__, NotConnectedError)
        return self._attempts if connected else min(self._attempts, ATTEMPTS_TO_CONNECT)

    def _call_once(self, method: str, url: str, headers: Mapping[str, str], data: bytes) -> Answer:
        request = AWSRequest(method, url, headers=dict(headers), data=data)
        # Frozen for each attempt: what expired meanwhile is renewed by botocore where it can be.
        SigV4Auth(self._credentials(), "execute-api", self._region).add_auth(request)
        try:
            answer = self._http.send(request.prepare())
        except BotoCoreError as error:
            words = f"{self.url} does not answer: check --endpoint-url, GRANT_BROKER_URL and the network"
            raise NoAnswerError(f"{words} ({error})") from error
        found = _json(answer.content)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status_code < _SUCCESS:
            return Answer(answer.status_code, found, headers)
        raise _refusal(self.url, answer.status_code, found, headers)

    def _credentials(self) -> "ReadOnlyCredentials":
        try:
            credentials = self._session.get_credentials()
            if credentials:
                return credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise CredentialsError(f"{error}: sign in again, such as with aws sso login") from error
        raise CredentialsError(
            "there are no AWS credentials: give --profile (in Python "
            "session=boto3.Session(profile_name=...)), or sign in with aws sso login"
        )


def signing_region(url: str, session: "boto3.Session") -> str:
    """The Region to sign for: API Gateway's own host names it, a custom domain leaves it to the session."""
    named = _REGION_OF_HOST.fullmatch(urlsplit(url).hostname or "")
    region = named[1] if named else session.region_name
    if not region:
        raise CredentialsError(
            "no Region is known to sign for: give --region (in Python "
            "session=boto3.Session(region_name=...)), or set AWS_DEFAULT_REGION"
        )
    return region


def _encode(body: object) -> bytes:
    try:
        return b"" if body is None else json.dumps(body).encode()
    except TypeError as error:
        raise InvalidArgumentError(f"what is to be sent is no JSON: {error}") from error


def _query(query: Mapping[str, str | None]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"?{urlencode(given, quote_via=quote)}" if given else ""


def _headers(method: str, body: object, headers: Mapping[str, str]) -> dict[str, str]:
    own = {"User-Agent": f"grant-broker botocore/{botocore.__version__}"}
    if body is not None:
        own["Content-Type"] = "application/json"
    if method == "POST":
        own["Idempotency-Key"] = str(uuid.uuid4())
    return {**own, **headers}


def _pause(error: NoAnswerError | ProblemError | UnexpectedAnswerError, attempt: int) -> float | None:
    """Seconds until the next attempt; None where there is none, or it would be too far away."""
    if isinstance(error, NoAnswerError):
        worth_it = not isinstance(error.__cause__, SSLError)
    else:
        worth_it = error.status in _REPEATED
    if not worth_it:
        return None
    asked = (error.retry_after or 0) if isinstance(error, ProblemError) else 0
    # Jitter on top of what the API asks for: whoever was refused together must not come back together.
    pause = asked + _RANDOM.uniform(0, _FIRST_PAUSE * 2**attempt)
    return pause if pause <= _LONGEST_PAUSE else None


def _refusal(
    url: str, status: int, body: object, headers: Mapping[str, str]
) -> ProblemError | UnexpectedAnswerError:
    if not isinstance(body, dict) or body.get("code") not in BY_CODE:
        return UnexpectedAnswerError(url, status)
    kind = BlockedError if "blocked_until" in body else BY_CODE[body["code"]]
    return kind(cast("Problem", body), _seconds(headers))


def _seconds(headers: Mapping[str, str]) -> int | None:
    text = headers.get("retry-after", "")
    return int(text) if text.isdigit() else None


def _json(content: bytes) -> object:
    try:
        return cast("object", json.loads(content)) if content else None
    except ValueError:
        return None
