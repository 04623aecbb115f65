"""Who gets into the console, and from where."""

from collections.abc import Mapping

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from grant_broker.client.console.guard import Guard

Texts = Mapping[str, str]
HOST = "127.0.0.1:8400"
OWN = {"Host": HOST, "Sec-Fetch-Site": "same-origin", "Origin": f"http://{HOST}"}


@pytest.fixture
def guard() -> Guard:
    """A console's guard."""
    return Guard(8400)


@pytest.fixture
def browser(guard: Guard) -> FlaskClient:
    """A browser that talks to a guarded page."""
    app = Flask("guarded")
    app.add_url_rule("/page", "page", lambda: request.method, methods=["GET", "POST"])
    guard.protect(app)
    return app.test_client()


def opened(browser: FlaskClient, guard: Guard) -> None:
    """Open the console by its link."""
    path = guard.start_url.removeprefix(f"http://{HOST}")
    assert browser.get(path, headers={"Host": HOST}).status_code == 200


def test_the_browser_of_the_link(browser: FlaskClient, guard: Guard) -> None:
    """The link leads on by a page of its own, with a cookie that no script and no other site can use."""
    answer = browser.get(guard.start_url.removeprefix(f"http://{HOST}"), headers={"Host": HOST})
    assert 'http-equiv="refresh" content="0;url=/"' in answer.text
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("grant_broker_console_8400=")
    assert cookie.endswith("; HttpOnly; Path=/; SameSite=Strict")
    assert browser.get("/page", headers={"Host": HOST, "Sec-Fetch-Site": "none"}).text == "GET"
    form = {"form_token": guard.form_token}
    assert browser.post("/page", headers=OWN, data=form).text == "POST"
    # A browser too old to say from where it asks.
    assert browser.get("/page", headers={"Host": HOST}).text == "GET"


@pytest.mark.parametrize("token", ["", "?token=", "?token=guessed", "?token=%C3%A9"])
def test_another_token(browser: FlaskClient, guard: Guard, token: str) -> None:
    """A guessed link opens nothing, and uses up nothing."""
    answer = browser.get(f"/start{token}", headers={"Host": HOST})
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)
    assert browser.get("/page", headers={"Host": HOST}).status_code == 403
    opened(browser, guard)


def test_a_second_use(browser: FlaskClient, guard: Guard) -> None:
    """Going back to the link is harmless; its use by another browser ends the session for everybody."""
    opened(browser, guard)
    opened(browser, guard)
    stranger = browser.application.test_client()
    path = guard.start_url.removeprefix(f"http://{HOST}")
    answer = stranger.get(path, headers={"Host": HOST})
    assert (answer.status_code, "The session is closed" in answer.text) == (403, True)
    assert browser.get("/page", headers={"Host": HOST}).status_code == 403
    assert stranger.get(path, headers={"Host": HOST}).status_code == 403


@pytest.mark.parametrize(
    ("status", "method", "headers", "form"),
    [
        (421, "GET", {"Host": "rebound.example:8400"}, {}),
        (421, "GET", {"Host": "localhost:8400"}, {}),
        (421, "GET", {"Host": "127.0.0.1"}, {}),
        (403, "GET", {"Sec-Fetch-Site": "cross-site"}, {}),
        (403, "GET", {"Sec-Fetch-Site": "same-site"}, {}),
        (403, "POST", {"Sec-Fetch-Site": "cross-site"}, {}),
        (403, "POST", {"Origin": "http://evil.example"}, {}),
        (403, "POST", {"Origin": "http://127.0.0.1:8401"}, {}),
        (403, "POST", {"Origin": "null"}, {}),
        (403, "POST", {"Origin": ""}, {}),
        (403, "POST", {}, {"form_token": ""}),
        (403, "POST", {}, {"form_token": "guessed"}),
        (403, "POST", {}, {"form_token": "é"}),
        (403, "PUT", {"Origin": "http://evil.example"}, {}),
    ],
)
def test_forged(
    guard: Guard, browser: FlaskClient, *, status: int, method: str, headers: Texts, form: Texts
) -> None:
    """What another page makes the session's own browser send is refused, each for its own reason."""
    opened(browser, guard)
    right = {"form_token": guard.form_token}
    answer = browser.open("/page", method=method, headers={**OWN, **headers}, data={**right, **form})
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")


def test_headers(browser: FlaskClient, guard: Guard) -> None:
    """Every answer, a refusal too, forbids inline code, frames, sniffing and caches."""
    refused = browser.get("/page", headers={"Host": HOST})
    opened(browser, guard)
    for answer in (refused, browser.get("/page", headers=OWN)):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        # With no-referrer browsers send no usable Origin from the console's own forms.
        assert answer.headers["Referrer-Policy"] == "same-origin"
