"""Tickets: what an operator's function is asked, and which answers are answers."""

import json
from typing import Any

import pytest

from grant_broker.domain.tickets import TicketAnswer, read_answer, ticket_question
from tests.support.records import request


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"stands": True}, TicketAnswer(stands=True)),
        ({"stands": False}, TicketAnswer(stands=False)),
        ({"stands": False, "reason": "closed"}, TicketAnswer(stands=False, reason="closed")),
        ({"stands": False, "reason": "no\u202eway"}, TicketAnswer(stands=False)),
        ({"stands": False, "reason": ["closed"]}, TicketAnswer(stands=False)),
        ({"stands": False, "reason": ""}, TicketAnswer(stands=False)),
        ({"stands": False, "reason": "x" * 400}, TicketAnswer(stands=False, reason="x" * 300)),
        ({"stands": True, "more": 1}, TicketAnswer(stands=True)),
    ],
)
def test_answers(said: Any, answer: TicketAnswer) -> None:
    """Yes or no, with a reason that is fit to be shown; what came later in the form is left out."""
    assert read_answer(json.dumps(said).encode()) == answer


NO_ANSWERS = (
    *(b"", b"true", b'"yes"', b"[]", b"{}", b'{"stands": 1}', b'{"stands": "true"}'),
    *(b'{"stands": null}', b"\xff{", b'{"stands": true'),
)


@pytest.mark.parametrize("said", NO_ANSWERS)
def test_no_answers(said: bytes) -> None:
    """What is only like a yes is none."""
    with pytest.raises(ValueError):  # noqa: PT011 - whatever json or we say of it
        read_answer(said)


def test_what_is_asked() -> None:
    """All that was submitted, and the moment; no token, and nothing that was found out."""
    question = ticket_question(request(ticket="CHG-1", grant_token="secret"), "CHG-1", "take_up")
    assert (question["version"], question["moment"], question["ticket"]) == ("1", "take_up", "CHG-1")
    assert (question["duration"], question["operations"], question["starts_at"]) == (
        "PT2H",
        ["Encrypt"],
        None,
    )
    assert "secret" not in json.dumps(question)
