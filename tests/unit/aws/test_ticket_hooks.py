"""The call of an operator's function: one attempt, two seconds, and every failure told apart by its code."""

import io
import json
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.session import get_session

from grant_broker.aws.clients import Clients
from grant_broker.aws.ticket_hooks import TicketHooks
from grant_broker.domain.errors import HookFailed
from grant_broker.domain.tickets import TicketAnswer, ticket_question
from tests.support.records import request

QUESTION = ticket_question(request(), "CHG-1", "submission")
HOOK = "arn:aws:lambda:eu-central-1:111122223333:function:tickets"


def hooks(**answered: Any) -> tuple[TicketHooks, Any]:
    """The adapter over a client that answers so, or raises."""
    client = mock.Mock()
    client.invoke = mock.Mock(**answered)
    return TicketHooks(lambda: client), client


def said(text: bytes, **more: Any) -> dict[str, Any]:
    """An answer of Invoke."""
    return {"StatusCode": 200, "Payload": io.BytesIO(text), **more}


def test_asked_once() -> None:
    """The function is invoked by its ARN, with the question as its event; the client is made once."""
    made, client = hooks(side_effect=lambda **_: said(b'{"stands": true}'))
    assert [made.ask(HOOK, QUESTION), made.ask(HOOK, QUESTION)] == [TicketAnswer(stands=True)] * 2
    assert client.invoke.call_args_list[0].kwargs == {
        "FunctionName": HOOK,
        "Payload": json.dumps(QUESTION).encode(),
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"), "TooManyRequestsException"),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke"), "AccessDeniedException"),
        (ReadTimeoutError(endpoint_url="https://lambda"), "ReadTimeoutError"),
        (ConnectTimeoutError(endpoint_url="https://lambda"), "ConnectTimeoutError"),
    ],
)
def test_no_answer(error: Exception, code: str) -> None:
    """A throttle, a missing right, a timeout."""
    with pytest.raises(HookFailed, match=code):
        hooks(side_effect=error)[0].ask(HOOK, QUESTION)


def test_an_answer_that_breaks_off() -> None:
    """The time-out may come while the answer is read."""
    payload = mock.Mock(read=mock.Mock(side_effect=ReadTimeoutError(endpoint_url="https://lambda")))
    with pytest.raises(HookFailed, match="ReadTimeoutError"):
        hooks(return_value={"StatusCode": 200, "Payload": payload})[0].ask(HOOK, QUESTION)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (said(b'{"errorMessage": "x"}', FunctionError="Unhandled"), "Unhandled"),
        (said(b'{"stands": true}', FunctionError="Handled"), "Handled"),
        (said(b'"yes"'), "NoAnswer"),
        (said(b"x" * 65_537), "AnswerTooLarge"),
    ],
)
def test_a_wrong_answer(answer: dict[str, Any], code: str) -> None:
    """An error of the function's own, whatever else it says; another form; more than a sentence."""
    with pytest.raises(HookFailed, match=code):
        hooks(return_value=answer)[0].ask(HOOK, QUESTION)


def test_two_seconds_and_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller waits for the answer: the client gives up by itself, and asks once."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    config: Any = Clients(get_session().create_client).ticket_hooks().meta.config
    assert config.connect_timeout + config.read_timeout == 2
    assert config.retries["total_max_attempts"] == 1
