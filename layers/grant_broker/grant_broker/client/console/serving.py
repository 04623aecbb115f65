"""The console's server: on 127.0.0.1 alone, a thread for each connection."""

from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from grant_broker.client.console.app import make_app
from grant_broker.client.console.guard import Guard
from grant_broker.client.console.person import Person


class _Handler(WSGIRequestHandler):
    # Browsers open connections that they may never use.
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Quiet: nobody reads access logs here, and the start link would be in them."""


class ConsoleServer(ThreadingMixIn, WSGIServer):
    """The console of a person, bound; port 0 picks a free one. OSError where the port is taken."""

    daemon_threads = True

    def __init__(self, person: Person, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        guard = Guard(self.server_port)
        self.set_app(make_app(person, guard))
        self.start_url = guard.start_url
        """The link that opens the console, once."""
