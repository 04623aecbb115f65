"""A held grant: what it asks, how it is renewed, and that it is released whatever happens."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import boto3
import pytest

from grant_broker import client
from grant_broker.client import Client, grant
from grant_broker.client.asked import Submission
from grant_broker.client.grant import HeldGrant
from grant_broker.domain.submission import Submission as ServerSubmission
from tests.support.scripted_api import LOST, Reply, ScriptedApi, problem, scripted_api
from tests.support.shown_requests import ROLE, shown

ASKED: Submission = {
    "key": "partner_data",
    "grantee": ROLE,
    "operations": ["Encrypt"],
    "encryption_context": {"dataset": "orders"},
    "duration": "2h",
    "reason": "nightly upload",
}
RELEASED: Reply = (202, shown("ending"), {})


def seen(status: str = "active", number: int = 1, **headers: str) -> Reply:
    """An answer that shows a request."""
    return 200, shown(status, number), headers


@contextmanager
def broker(*answers: Reply) -> Iterator[tuple[Client, ScriptedApi]]:
    """A client that does not really sleep, and the API that answers it."""
    session = boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-central-1")
    with scripted_api(*answers) as api:
        yield Client(api.url, session=session, attempts=2, sleep=lambda _: None), api


def paths(api: ScriptedApi) -> list[str]:
    """Every call, without stage and id."""
    return [
        call.replace("/live/requests", "").replace(f"/{1:032x}", "/1").replace(f"/{2:032x}", "/2")
        for call in api.calls
    ]


def hold(broker_client: Client, **more: Any) -> HeldGrant:
    """What is asked for."""
    return broker_client.grant(**ASKED, **more)


def test_covered() -> None:
    """What comes back active is used at once, and released at the end."""
    with broker(seen(), seen(), RELEASED) as (asking, api), hold(asking) as held:
        assert held.request["status"] == "active"
        assert api.seen[0].body == {**ASKED, "duration": "PT7200S"}
    assert paths(api) == ["POST ", "GET /1", "DELETE /1/grant"]


def test_waited_for() -> None:
    """What waits for people is waited for as the API says, and taken up once approved."""
    with (
        broker(
            seen("pending"), seen("pending", Retry_After="30"), seen("approved"), seen(), seen(), RELEASED
        ) as (asking, api),
        hold(asking),
    ):
        assert paths(api) == ["POST ", "GET /1", "GET /1", "POST /1/grant"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (shown("denied", decisions=[{"verdict": "deny", "comment": "too long"}]), "is denied: too long"),
        (shown("failed", end_reason="KMS refused"), "is failed: KMS refused"),
        (shown("lapsed"), "is lapsed$"),
    ],
)
def test_not_granted(request_: Any, words: str) -> None:
    """What comes to an end without a grant is raised, with the reason."""
    answers: tuple[Reply, ...] = (seen("pending"), (200, request_, {}))
    with broker(*answers) as (asking, _), pytest.raises(client.NotGrantedError, match=words), hold(asking):
        pass


def test_released_whatever_happens() -> None:
    """An error in the block, Ctrl-C too, releases and goes on."""
    for error in (ValueError, KeyboardInterrupt):
        with broker(seen(), seen(), RELEASED) as (asking, api), pytest.raises(error), hold(asking):
            raise error
        assert paths(api)[-1] == "DELETE /1/grant"


def test_withdrawn_when_waiting_ends() -> None:
    """Time over while people decide: what was asked for is withdrawn."""
    answers = (seen("pending"), seen("pending", Retry_After="30"), seen("pending"), seen("withdrawn"))
    with (
        broker(*answers) as (asking, api),
        pytest.raises(client.WaitTimeoutError, match="still pending after 0 s"),
        hold(asking, timeout=timedelta(0)),
    ):
        pass
    assert paths(api) == ["POST ", "GET /1", "GET /1", "DELETE /1"]


def test_a_lost_answer_is_found_again() -> None:
    """Where nobody knows whether it was submitted, the same key finds it, and it is ended."""
    answers = (LOST, LOST, seen(), seen(), RELEASED)
    with broker(*answers) as (asking, api), pytest.raises(client.NoAnswerError), hold(asking):
        pass
    assert paths(api) == ["POST ", "POST ", "POST ", "GET /1", "DELETE /1/grant"]
    assert len({call.headers["Idempotency-Key"] for call in api.seen[:3]}) == 1


def test_what_cannot_be_found_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Where the API stays away it is logged that something may have been made, and the error goes on."""
    with broker(LOST) as (asking, _), pytest.raises(client.NoAnswerError), hold(asking):
        pass
    assert "a request may have been made, and ends by itself" in caplog.text


def test_a_refusal_is_no_lost_answer() -> None:
    """What was refused for certain is not asked for again."""
    with (
        broker(problem(403, "not_permitted")) as (asking, api),
        pytest.raises(client.NotPermittedError),
        hold(asking),
    ):
        pass
    assert paths(api) == ["POST "]


def test_a_release_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The work is done: that the grant was not released is logged, since it ends by itself."""
    caplog.set_level(logging.WARNING)
    with broker(seen(), problem(403, "not_permitted", "expired")) as (asking, _), hold(asking):
        pass
    assert "was not released, and ends by itself: expired" in caplog.text


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ((seen("expired"),), ["GET /1"]),
        ((seen("issuing", Retry_After="5"), seen(), RELEASED), ["GET /1", "GET /1", "DELETE /1/grant"]),
        ((seen("issuing"), seen("failed")), ["GET /1", "GET /1"]),
        ((seen(), problem(409, "conflict"), seen("ending")), ["GET /1", "DELETE /1/grant", "GET /1"]),
        ((seen("approved"), seen("withdrawn")), ["GET /1", "DELETE /1"]),
    ],
)
def test_end(answers: tuple[Reply, ...], calls: list[str]) -> None:
    """Release, withdraw or leave it, by its status, which may change meanwhile."""
    with broker(*answers) as (asking, api):
        asking.end(f"{1:032x}")
    assert paths(api) == calls


def test_end_gives_up() -> None:
    """A conflict that looking again does not explain is raised."""
    answers = [each for _ in range(5) for each in (seen(), problem(409, "conflict", "odd"))]
    with broker(*answers) as (asking, _), pytest.raises(client.ConflictError, match="odd"):
        asking.end(f"{1:032x}")


class Clock:
    """time.monotonic, set by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(grant, "time", mock.Mock(monotonic=lambda: self.now))


def test_renewed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ten minutes left it asks to go on, looks now and then, and changes over once it is approved."""
    clock = Clock(monkeypatch)
    waiting, approved = seen("pending", 2), seen("approved", 2)
    renewed = (waiting, waiting, approved, approved, seen("active", 2))
    answers = (seen(), *renewed, seen(), RELEASED, seen("active", 2), RELEASED)
    with broker(*answers) as (asking, api), hold(asking, renew_before=timedelta(minutes=10)) as held:
        assert held.current()["id"] == f"{1:032x}"
        clock.now = 7200 - 600
        assert held.current()["id"] == f"{1:032x}"
        # Within half a minute it is not asked about again.
        held.current()
        assert paths(api) == ["POST ", "POST /1/extension", "GET /2"]
        assert api.seen[1].body == {"duration": "PT7200S", "reason": "nightly upload"}
        clock.now += 30
        assert held.current()["id"] == f"{2:032x}"
        assert paths(api)[3:] == ["GET /2", "GET /2", "POST /2/grant"]
        clock.now += 3600
        assert held.current()["id"] == f"{2:032x}"
    assert paths(api)[6:] == ["GET /1", "DELETE /1/grant", "GET /2", "DELETE /2/grant"]


def test_a_grant_that_cannot_be_extended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended early by others, or renewed at its very beginning: it is asked for anew."""
    clock = Clock(monkeypatch)
    for refusal in (problem(409, "conflict"), problem(400, "invalid_request")):
        clock.now = 0.0
        answers = (seen(), refusal, seen("active", 2), seen("expired"), seen("expired", 2))
        with broker(*answers) as (asking, api), hold(asking) as held:
            held.renew()
            assert held.current()["id"] == f"{2:032x}"
            assert paths(api) == ["POST ", "POST /1/extension", "POST "]


def test_an_extension_whose_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key finds it, and it is ended with the grant that it extends."""
    Clock(monkeypatch)
    found = seen("active", 2)
    answers = (seen(), LOST, LOST, found, seen(), RELEASED, found, RELEASED)
    with broker(*answers) as (asking, api), pytest.raises(client.NoAnswerError), hold(asking) as held:
        held.renew()
    extensions = ["POST /1/extension"] * 3
    assert paths(api) == ["POST ", *extensions, "GET /1", "DELETE /1/grant", "GET /2", "DELETE /2/grant"]
    assert len({call.headers["Idempotency-Key"] for call in api.seen[1:4]}) == 1


def test_renewed_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the old grant is over before people have decided, the next use waits for them."""
    clock = Clock(monkeypatch)
    answers = (seen(), seen("pending", 2), seen("denied", 2))
    with broker(*answers) as (asking, _), hold(asking, renew_before=timedelta(minutes=10)) as held:
        clock.now = 7200
        with pytest.raises(client.NotGrantedError, match="is denied"):
            held.current()


def test_not_renewed_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself a grant ends at its time, and nothing is asked for."""
    clock = Clock(monkeypatch)
    with broker(seen(), seen("expired")) as (asking, api), hold(asking) as held:
        clock.now = 1_000_000
        assert held.current()["id"] == f"{1:032x}"
    assert paths(api) == ["POST ", "GET /1"]


@pytest.mark.parametrize(
    "wrong",
    [{"duration": "0h"}, {"duration": [2]}, {"timeout": "soon"}, {"timeout": True}, {"renew_before": "x"}],
)
def test_durations_that_are_none(wrong: Any) -> None:
    """What is no duration is refused at once, by a type of its own, and nothing is asked for."""
    with broker(seen()) as (asking, api), pytest.raises(client.InvalidArgumentError):
        asking.grant(**(ASKED | wrong))
    assert api.seen == []


def test_durations_as_numbers() -> None:
    """A number of seconds is sent as the duration that it is, and waited for as long."""
    without: Any = {name: value for name, value in ASKED.items() if name != "duration"}
    with broker(seen("pending", Retry_After="1")) as (asking, api):
        with pytest.raises(client.WaitTimeoutError), asking.grant(**(ASKED | {"duration": 90}), timeout=0):
            raise AssertionError
        asking.submit(**(ASKED | {"duration": 7200}))
        asking.submit(**without)
        with pytest.raises(client.WaitTimeoutError), asking.grant(**without, timeout=0):
            raise AssertionError
    sent = [call.body for call in api.seen if call.method == "POST"]
    assert [body.get("duration") for body in sent] == ["PT90S", "PT7200S", None, None]


def test_at_most_4096_bytes() -> None:
    """What KMS would refuse is refused here, with the way to do it."""
    with (
        broker(seen(), seen(), RELEASED) as (asking, _),
        hold(asking) as held,
        pytest.raises(ValueError, match="encryption_sdk"),
    ):
        held.encrypt(bytes(4097))


def parameters(held: HeldGrant, operation: str, **given: Any) -> dict[str, Any]:
    """What a call of its KMS client would send."""
    with mock.patch("botocore.endpoint.Endpoint.make_request", side_effect=InterruptedError) as sent:
        sending: Any = held.kms
        with pytest.raises(InterruptedError):
            getattr(sending, operation)(**given)
    body: dict[str, Any] = json.loads(sent.call_args.args[1]["body"])
    return body


def test_kms_client() -> None:
    """Calls carry token, context and key, but for what the caller gives or the operation does not know."""
    with broker(seen(), seen(), RELEASED) as (asking, _), hold(asking) as held:
        key, token, context = held.request["key"], ["token-1"], {"dataset": "orders"}
        assert parameters(held, "generate_data_key", KeySpec="AES_256") == {
            "KeyId": key,
            "GrantTokens": token,
            "EncryptionContext": context,
            "KeySpec": "AES_256",
        }
        assert (
            parameters(held, "encrypt", KeyId="k", Plaintext=b"", EncryptionContext={"a": "b"})["KeyId"]
            == "k"
        )
        assert parameters(held, "describe_key") == {"KeyId": key, "GrantTokens": token}
        assert parameters(held, "list_keys") == {}
        sent = parameters(held, "re_encrypt", CiphertextBlob=b"x")
        assert (sent["DestinationKeyId"], sent["DestinationEncryptionContext"]) == (key, context)


def test_without_a_token() -> None:
    """Whoever is shown no token any more, since the grant is known everywhere, calls without."""
    bare = shown()
    assert bare["grant"] is not None
    bare["grant"]["grant_token"] = None
    with broker((200, bare, {}), seen(), RELEASED) as (asking, _), hold(asking) as held:
        assert "GrantTokens" not in parameters(held, "encrypt", Plaintext=b"x")


def test_a_submission_is_the_server_s() -> None:
    """The client asks for what the API reads, and nothing else."""
    assert set(Submission.__annotations__) == set(ServerSubmission.model_fields)


def test_the_address_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the broker's address it is said where to find it."""
    monkeypatch.delenv("GRANT_BROKER_URL", raising=False)
    with pytest.raises(client.GrantBrokerError, match="set GRANT_BROKER_URL"):
        Client()


def test_what_is_exported() -> None:
    """Every name of the package's list is there, and no other is guessed."""
    assert all(isinstance(getattr(client, name), type) for name in client.__all__)
    with pytest.raises(AttributeError):
        client.nothing  # noqa: B018
