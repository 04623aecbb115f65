"""The console of one of the stack's people in this process, and a test client that has opened it."""

import re
from dataclasses import dataclass

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grant_broker.client import Client
from grant_broker.client.console.app import make_app
from grant_broker.client.console.guard import Guard
from grant_broker.client.console.person import find_person
from tests.end_to_end.conftest import Running

_HOST = "127.0.0.1:8400"


@dataclass(frozen=True)
class Console:
    """A person's open console."""

    browser: FlaskClient
    form_token: str

    def get(self, path: str) -> TestResponse:
        """A page."""
        return self.browser.get(path, headers={"Host": _HOST})

    def post(self, path: str, **fields: str | list[str]) -> TestResponse:
        """Send a form from a page of the console."""
        headers = {"Host": _HOST, "Origin": f"http://{_HOST}", "Sec-Fetch-Site": "same-origin"}
        return self.browser.post(path, headers=headers, data={"form_token": self.form_token, **fields})

    def words(self, path: str) -> str:
        """A page that must come, without its markup."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return plain(answer)


def plain(answer: TestResponse) -> str:
    """What a page says, without its markup, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))


def open_console(stack: Running, person: str) -> Console:
    """The console that this person starts."""
    client = Client(stack.ready["api_url"], session=stack.session(person), sleep=lambda _: None)
    guard = Guard(8400)
    browser = make_app(find_person(client), guard).test_client()
    path = guard.start_url.removeprefix(f"http://{_HOST}")
    assert browser.get(path, headers={"Host": _HOST}).status_code == 200
    return Console(browser, guard.form_token)
