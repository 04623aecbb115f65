"""Who looks at the console, and what the broker lets them see."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from grant_broker.client.errors import NotPermittedError
from grant_broker.client.third_party import Client


@dataclass(frozen=True)
class Person:
    """The one who started the console: all calls are signed as theirs. `decides`: is of the security team."""

    client: Client
    arn: str
    decides: bool

    @property
    def first_page(self) -> str:
        """Where the console opens: the endpoint's name."""
        return "security.show_queue" if self.decides else "own.show_requests"


def find_person(client: Client) -> Person:
    """Ask STS who calls, and the broker whether that is one of the security team. GrantBrokerError."""
    try:
        next(client.security.list_requests(order="answer_by"), None)
        decides = True
    except NotPermittedError:
        # Who may not even this is told here, not by the first page.
        next(client.list_requests(), None)
        decides = False
    return Person(client, client.principal, decides)


def broker() -> Client:
    """The client of the person whose console answers this request."""
    return cast("Person", current_app.extensions["person"]).client
