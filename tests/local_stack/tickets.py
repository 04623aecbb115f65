"""An operator's function that knows tickets: what a key's `ticket_hook` asks on the local stack."""

from collections.abc import Callable
from typing import Any, NoReturn

from tests.local_aws.answers import AwsError

HOOK = "arn:aws:lambda:eu-central-1:111122223333:function:tickets"
GONE = "arn:aws:lambda:eu-central-1:111122223333:function:tickets-of-old"
"""On the stack's list, and deleted since."""
UNLISTED = "arn:aws:lambda:eu-central-1:111122223333:function:anything"


def _raise(error: Exception) -> NoReturn:
    raise error


# By the ticket, each way in which a function may fail to answer.
FAILURES: dict[str, Callable[[], Any]] = {
    "RAISES": lambda: _raise(RuntimeError("the ticket system is down")),
    "THROTTLED": lambda: _raise(AwsError("TooManyRequestsException", "Rate Exceeded.", 429)),
    "BROKEN": lambda: _raise(AwsError("ServiceException", "internal", 500)),
    "A TEXT": lambda: "yes",
    "ONE": lambda: {"stands": 1},
    "NOTHING": lambda: None,
    "NO JSON": lambda: b"\xff{",
    "LONG": lambda: {"stands": True, "reason": "x" * 70_000},
}


def answer(question: dict[str, Any]) -> Any:
    """CHG-… stands, CHG-9… only until it is taken up; those of FAILURES make it fail; no other stands."""
    ticket = str(question["ticket"])
    if ticket in FAILURES:
        return FAILURES[ticket]()
    closed = ticket.startswith("CHG-9") and question["moment"] == "take_up"
    if ticket.startswith("CHG-") and not closed:
        return {"stands": True}
    return {"stands": False, "reason": f"{ticket} is {'closed' if closed else 'not known'}"}
