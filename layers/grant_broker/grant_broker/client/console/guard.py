"""Who may talk to the console: the browser that came by the start link, from the console's own pages.

| against | what holds |
|---|---|
| a name that an attacker points to 127.0.0.1 (DNS rebinding) | `Host` is the address itself |
| other people's processes on this machine | the start link is good once; then a cookie |
| whoever read the start link in the process list | its second use ends the session |
| other sites' and other local servers' pages | SameSite, `Sec-Fetch-Site`, `Origin`, a token in forms |
| markup in others' words | templates escape; a Content-Security-Policy without inline code |
"""

import secrets
from threading import Lock

from flask import Flask, Response, make_response, request

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it browsers send `Origin: null` from our own forms.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_READS = {"GET", "HEAD", "OPTIONS"}
# Not a redirect: along one that began elsewhere, such as in a mail, browsers send no SameSite=Strict cookie.
_OPENED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Grant broker</title>
<link rel="icon" href="/static/console.svg"><meta http-equiv="refresh" content="0;url=/">
<p><a href="/">Open the console</a></p></html>"""


class Guard:
    """Keeps everybody else out of the console on this port."""

    def __init__(self, port: int) -> None:
        self._host = f"127.0.0.1:{port}"
        # Cookies do not know ports: two consoles must not take each other's.
        self._cookie = f"grant_broker_console_{port}"
        self._token = secrets.token_urlsafe(32)
        self._lock = Lock()
        self._used = False
        self._session: str | None = None
        self.form_token = secrets.token_urlsafe(32)
        """What every form of the console carries."""

    @property
    def start_url(self) -> str:
        """The link that opens the console, once."""
        return f"http://{self._host}/start?token={self._token}"

    def protect(self, app: Flask) -> None:
        """Ask before every request of the application, and send the headers with every answer."""
        app.add_url_rule("/start", "start", self._open)
        app.before_request(self._refuse)
        app.after_request(_add_headers)

    def _open(self) -> Response:
        with self._lock:
            if not self._has_session():
                if not _same(request.args.get("token", ""), self._token):
                    return _refusal(403, "This is not the link that the console printed.")
                if self._used:
                    self._session = None
                    return _refusal(
                        403, "This link was used before. The session is closed: start the console again."
                    )
                self._used, self._session = True, secrets.token_urlsafe(32)
            answer = make_response(_OPENED)
            answer.set_cookie(self._cookie, self._session or "", httponly=True, samesite="Strict")
        return answer

    def _refuse(self) -> Response | None:
        if request.headers.get("Host") != self._host:
            return _refusal(421, f"The console answers to http://{self._host} and no other name.")
        if request.endpoint == "start":
            return None
        if not self._has_session():
            return _refusal(403, "Open the console by the link that it printed, or start it again.")
        return self._refuse_forgery()

    def _refuse_forgery(self) -> Response | None:
        """Refuse what the session's browser sends, but another page made it send."""
        # What a browser that does not say it sends for others is held by SameSite alone.
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            return _refusal(403, "Another site's page may not use the console: open it by itself.")
        if request.method in _READS:
            return None
        if request.headers.get("Origin") != f"http://{self._host}":
            return _refusal(403, "Only the console's own pages may send this.")
        if not _same(request.form.get("form_token", ""), self.form_token):
            return _refusal(403, "This form is from an earlier console: load the page again.")
        return None

    def _has_session(self) -> bool:
        given = request.cookies.get(self._cookie, "")
        return self._session is not None and _same(given, self._session)


def _add_headers(answer: Response) -> Response:
    answer.headers.update(_HEADERS)
    return answer


def _refusal(status: int, words: str) -> Response:
    return Response(f"{words}\n", status, mimetype="text/plain")


def _same(given: str, wanted: str) -> bool:
    # As bytes: strings are compared in constant time only where both are ASCII, and raise otherwise.
    return secrets.compare_digest(given.encode(), wanted.encode())
