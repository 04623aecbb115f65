"""How the client calls: signed, repeated where it helps, and every refusal by its own type."""

from collections.abc import Callable
from datetime import UTC, datetime
from unittest import mock

import boto3
import pytest
from botocore.exceptions import SSLError, UnauthorizedSSOTokenError

from grant_broker import client
from grant_broker.client import http
from grant_broker.client.http import Answer, Connection
from tests.support.scripted_api import LOST, Reply, problem, scripted_api

FINE: Reply = (200, {"items": []}, {})


def session(region: str | None = "eu-central-1") -> boto3.Session:
    """A session with made-up credentials."""
    return boto3.Session("AKIDEXAMPLE", "secret", region_name=region)


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the client would have slept."""
    return []


def connection(url: str, pauses: list[float]) -> Connection:
    """The connection under test; it does not really sleep."""
    return Connection(url, session(), sleep=pauses.append)


def call(pauses: list[float], *answers: Reply) -> tuple[Answer, list[str]]:
    """One POST that is answered so, and the Idempotency-Key of each attempt."""
    with scripted_api(*answers) as api:
        answer = connection(api.url, pauses).call(
            "POST", "/requests", {"a": 1}, query={"b": "c d", "e": None}
        )
        assert set(api.calls) == {"POST /live/requests?b=c%20d"}
        assert all(each.body == {"a": 1} for each in api.seen)
        return answer, [each.headers["Idempotency-Key"] for each in api.seen]


def test_signed_and_once(pauses: list[float]) -> None:
    """A call that is answered is made once, with a signature for execute-api in the session's Region."""
    with scripted_api(FINE) as api:
        answer = connection(f"{api.url}/", pauses).call("GET", "/keys")
        assert (answer.status, answer.body, answer.retry_after) == (200, {"items": []}, None)
        [seen] = api.seen
    assert "/eu-central-1/execute-api/aws4_request" in seen.headers["Authorization"]
    assert "Idempotency-Key" not in seen.headers
    assert pauses == []


@pytest.mark.parametrize(
    "fault",
    [
        LOST,
        problem(429, "too_many_requests"),
        problem(503, "unavailable"),
        (502, "<html>bad gateway</html>", {}),
        (504, {"message": "Endpoint request timed out"}, {}),
    ],
)
def test_repeated(pauses: list[float], fault: Reply) -> None:
    """What was throttled or got no answer is sent again with the same idempotency key, after a pause."""
    answer, keys = call(pauses, fault, fault, FINE)
    assert answer.status == 200
    assert (len(keys), len(set(keys))) == (3, 1)
    assert len(pauses) == 2
    assert all(0 <= pause <= 2 for pause in pauses)


def test_pauses_have_jitter_on_top_of_what_is_asked_for(pauses: list[float]) -> None:
    """Retry-After is the least; who was refused together does not come back together."""
    for _ in range(5):
        call(pauses, problem(429, "too_many_requests", Retry_After="7"), FINE)
    assert all(7 <= pause <= 8 for pause in pauses)
    assert len(set(pauses)) == 5


def test_given_up(pauses: list[float]) -> None:
    """After five attempts the last refusal is raised, with its problem document."""
    with pytest.raises(client.UnavailableError, match="not yet") as raised:
        call(pauses, problem(503, "unavailable", "not yet", Retry_After="1"))
    assert len(pauses) == 4
    assert (raised.value.status, raised.value.retry_after, raised.value.errors) == (503, 1, [])


def test_not_waited_for_long(pauses: list[float]) -> None:
    """A limit that frees up in an hour is told at once."""
    with pytest.raises(client.TooManyRequestsError):
        call(pauses, problem(429, "too_many_requests", Retry_After="3600"))
    assert pauses == []


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_request", client.InvalidRequestError),
        (403, "not_permitted", client.NotPermittedError),
        (404, "not_found", client.NotFoundError),
        (409, "conflict", client.ConflictError),
        (412, "precondition_failed", client.PreconditionFailedError),
        (413, "too_large", client.TooLargeError),
    ],
)
def test_refused(pauses: list[float], status: int, code: str, kind: type[Exception]) -> None:
    """A refusal that stays one is raised at once, by its own type, in the API's words."""
    with pytest.raises(kind, match="no"):
        call(pauses, problem(status, code))
    assert pauses == []


def test_a_block(pauses: list[float]) -> None:
    """That a block stands has its own type, which says until when; whoever catches the other gets it too."""
    for until in ("2026-01-01T00:00:00Z", None):
        status, body, headers = problem(403, "not_permitted")
        assert isinstance(body, dict)
        with pytest.raises(client.NotPermittedError) as refused:
            call(pauses, (status, {**body, "blocked_until": until}, headers))
        assert type(refused.value) is client.BlockedError
        assert refused.value.problem["blocked_until"] == until


def test_somebody_else_answers(pauses: list[float]) -> None:
    """What is no problem document did not come from the broker, which is said with the address."""
    with pytest.raises(client.UnexpectedAnswerError, match="answered 404, and not as the broker does"):
        call(pauses, (404, "<html>", {}))


def test_nobody_answers(pauses: list[float]) -> None:
    """Without a network the address is named, and what to look at, within seconds."""
    with scripted_api(FINE) as api:
        url = api.url
    with pytest.raises(client.NoAnswerError, match="does not answer: check --endpoint-url"):
        connection(url, pauses).call("GET", "/keys")
    assert len(pauses) == 3
    assert sum(pauses) <= 3.5


def test_a_certificate_that_does_not_fit(pauses: list[float]) -> None:
    """What is no better a second time is not repeated."""
    failing = mock.Mock(send=mock.Mock(side_effect=SSLError(endpoint_url="x", error=Exception("expired"))))
    with mock.patch.object(http, "URLLib3Session", return_value=failing), pytest.raises(client.NoAnswerError):
        connection("https://broker.example", pauses).call("GET", "/keys")
    assert pauses == []


def _expired() -> None:
    raise UnauthorizedSSOTokenError


@pytest.mark.parametrize(
    ("get", "words"),
    [(lambda: None, "there are no AWS credentials: give --profile"), (_expired, "SSO.*sign in again")],
)
def test_credentials(get: Callable[[], None], words: str) -> None:
    """Without credentials, or where they cannot be renewed, the next step is told."""
    without = session()
    with (
        mock.patch.object(without, "get_credentials", get),
        pytest.raises(client.CredentialsError, match=words),
    ):
        Connection("http://127.0.0.1:1", without).call("GET", "/keys")


def test_region() -> None:
    """API Gateway's own address names the Region; elsewhere it is the session's, and one is needed."""
    own = "https://abc123.execute-api.us-east-2.amazonaws.com/live"
    assert http.signing_region(own, session()) == "us-east-2"
    assert http.signing_region("https://broker.example", session()) == "eu-central-1"
    nowhere = mock.Mock(region_name=None)
    with pytest.raises(client.CredentialsError, match=r"give --region \(in Python session=boto3\.Session"):
        http.signing_region("https://broker.example", nowhere)


def test_what_is_no_json(pauses: list[float]) -> None:
    """What cannot be sent is told by its own type, and nothing is."""
    with pytest.raises(client.InvalidArgumentError, match="no JSON: Object of type datetime"):
        connection("http://127.0.0.1:1", pauses).call("POST", "/requests", {"starts_at": datetime.now(UTC)})
    assert pauses == []
