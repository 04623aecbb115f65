"""An HTTP server that answers as it is told, call after call, and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.local_aws.listening import Handler, Server

Reply = tuple[int, object, Mapping[str, str]]
"""Status, JSON or text, headers (with _ for -)."""
LOST: Reply = (0, None, {})
"""In place of an answer: the connection is closed without one."""


@dataclass(frozen=True)
class Seen:
    """What was asked."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class ScriptedApi:
    """Answers in order, the last one again and again: status, JSON or text, headers."""

    url: str
    answers: list[Reply]
    seen: list[Seen] = field(default_factory=list)

    def next(self) -> Reply:
        """The answer to the next call."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def calls(self) -> list[str]:
        """Method and target of every call."""
        return [f"{call.method} {call.target}" for call in self.seen]


def problem(status: int, code: str, detail: str = "no", **headers: str) -> Reply:
    """A refusal of the API."""
    body = {"type": f"urn:grant-broker:{code}", "title": code, "status": status, "detail": detail}
    return status, {**body, "code": code, "errors": []}, headers


@contextmanager
def scripted_api(*answers: Reply) -> Iterator[ScriptedApi]:
    """A server of these answers on 127.0.0.1."""
    api = ScriptedApi("", list(answers))

    class Scripted(Handler):
        def do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            body = json.loads(text) if text else None
            api.seen.append(Seen(self.command, self.path, dict(self.headers.items()), body))
            status, answer, headers = api.next()
            if not status:
                self.close_connection = True
                return
            content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - http.server's names

    with Server(Scripted, 0) as server:
        api.url = f"http://127.0.0.1:{server.server_address[1]}/live"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
