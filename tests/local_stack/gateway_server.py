"""The API over HTTP, on 127.0.0.1 only."""

import re

from tests.local_aws.listening import Handler, Server
from tests.local_stack import contract_page
from tests.local_stack.gateway import LARGEST_BODY, Gateway
from tests.local_stack.refusals import Reply

_CHUNK = 64 * 1024
_NO_SUCH_METHOD = 501
_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})(?:;[^\r\n]*)?\r\n")
_LONGEST_LINE = 4096


class _Api(Server):
    def __init__(self, gateway: Gateway, port: int) -> None:
        self.gateway = gateway
        super().__init__(_Handler, port)


def serve(gateway: Gateway, port: int = 0) -> Server:
    """A bound server, not yet running; port 0 picks a free one."""
    return _Api(gateway, port)


class _Handler(Handler):
    server: _Api

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        # Beside the API and not a part of it: nothing there tells more than the repository does.
        if self.path == contract_page.PATH and self.command == "GET":
            self._send((200, contract_page.HEADERS, contract_page.page().encode()))
            return
        self._send(self._answered())

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - http.server's names

    def _answered(self) -> Reply:
        gateway = self.server.gateway
        try:
            body = self._chunked() if "Transfer-Encoding" in self.headers else self._measured()
        except ValueError as error:
            self.close_connection = True
            return gateway.refusals.reply("BAD_REQUEST_PARAMETERS", str(error))
        if body is None:
            self.close_connection = True
            return gateway.refusals.reply("REQUEST_TOO_LARGE", "Request Too Long")
        return gateway.handle(self.command, self.path, list(self.headers.items()), body)

    def _measured(self) -> bytes | None:
        """The body by its Content-Length, None where it is too large; ValueError."""
        given = self.headers.get("Content-Length", "0")
        if not (given.isascii() and given.isdigit()):
            raise ValueError("Content-Length is not a number")
        if int(given) > LARGEST_BODY:
            self._drain(int(given))
            return None
        return self.rfile.read(int(given))

    def _chunked(self) -> bytes | None:
        """The body in chunks, None where it is too large; ValueError."""
        # Two lengths are how requests are smuggled past a proxy.
        if "Content-Length" in self.headers or self.headers["Transfer-Encoding"].lower() != "chunked":
            raise ValueError("one Transfer-Encoding, chunked, and no Content-Length")
        body = b""
        while size := self._size():
            if len(body) + size > LARGEST_BODY:
                return None
            body += self.rfile.read(size)
            if self.rfile.readline(_LONGEST_LINE) != b"\r\n":
                raise ValueError("a chunk is not as long as it says")
        while self.rfile.readline(_LONGEST_LINE) not in {b"\r\n", b""}:
            pass
        return body

    def _size(self) -> int:
        match = _SIZE.fullmatch(self.rfile.readline(_LONGEST_LINE))
        if match is None:
            raise ValueError("a chunk does not begin with its size")
        return int(match[1], 16)

    def _drain(self, left: int) -> None:
        # A client that is still sending would see its connection reset instead of the answer.
        while left > 0 and (read := self.rfile.read(min(left, _CHUNK))):
            left -= len(read)

    def _send(self, reply: Reply) -> None:
        status, headers, body = reply
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What cannot be read as a request, or has a method that nobody knows."""
        del explain
        # http.server answers a line that it cannot read as HTTP/0.9, without a status.
        self.request_version, self.close_connection = self.protocol_version, True
        kind = "MISSING_AUTHENTICATION_TOKEN" if code == _NO_SUCH_METHOD else "BAD_REQUEST_PARAMETERS"
        self._send(self.server.gateway.refusals.reply(kind, message or ""))
