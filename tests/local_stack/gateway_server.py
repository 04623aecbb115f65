"""The API over HTTP, on 127.0.0.1 only."""

from tests.local_stack.gateway import LARGEST_BODY, Gateway
from tests.local_stack.listening import Handler, Server
from tests.local_stack.refusals import Reply

_CHUNK = 64 * 1024
_NO_SUCH_METHOD = 501


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
        self._send(self._answered())

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - http.server's names

    def _answered(self) -> Reply:
        gateway, given = self.server.gateway, self.headers.get("Content-Length", "0")
        if not (given.isascii() and given.isdigit()) or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return gateway.refusals.reply("BAD_REQUEST_PARAMETERS", "Content-Length is needed")
        if int(given) > LARGEST_BODY:
            self.close_connection = True
            self._drain(int(given))
            return gateway.refusals.reply("REQUEST_TOO_LARGE", "Request Too Long")
        body = self.rfile.read(int(given))
        return gateway.handle(self.command, self.path, list(self.headers.items()), body)

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
