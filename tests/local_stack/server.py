"""The embedded AWS over HTTP, on 127.0.0.1 only."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.local_stack.answers import AwsError
from tests.local_stack.cloud import Cloud

_LARGEST = 10 * 1024 * 1024


def serve(cloud: Cloud, port: int = 0) -> ThreadingHTTPServer:
    """A bound server for `endpoint_url`, not yet running; port 0 picks a free one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 60

        def do_POST(self) -> None:
            given = self.headers.get("Content-Length", "")
            if not given.isdigit() or int(given) > _LARGEST:
                self.close_connection = True
                answer = AwsError(
                    "RequestEntityTooLargeException", "Length missing or too large", 413
                ).response()
            else:
                body = self.rfile.read(int(given))
                host = self.headers.get("Host", "")
                answer = cloud.handle("POST", f"http://{host}{self.path}", dict(self.headers.items()), body)
            status, headers, text = answer
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Quiet: tests read answers, not access logs."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
