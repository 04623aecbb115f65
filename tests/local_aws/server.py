"""The embedded AWS over HTTP, on 127.0.0.1 only."""

import re

from tests.local_aws.answers import AwsError, Response
from tests.local_aws.cloud import Cloud
from tests.local_aws.listening import Handler, Server

_LARGEST = 10 * 1024 * 1024
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)
_OF_THE_CONNECTION = ("content-length", "connection", "date", "server")


class _Aws(Server):
    def __init__(self, cloud: Cloud, port: int) -> None:
        self.cloud = cloud
        super().__init__(_Handler, port)


def serve(cloud: Cloud, port: int = 0) -> Server:
    """A bound server for `endpoint_url`, not yet running; port 0 picks a free one."""
    return _Aws(cloud, port)


class _Handler(Handler):
    server: _Aws

    def answer(self) -> None:
        """Answer one request of any method."""
        status, headers, text = self._answered()
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _OF_THE_CONNECTION:
                self.send_header(name, str(value))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_POST = do_GET = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def _answered(self) -> Response:
        given = self.headers.get("Content-Length", "0" if self.command != "POST" else "")
        if not _DIGITS.fullmatch(given) or int(given) > _LARGEST:
            # The body stays unread, so nothing after it can be.
            self.close_connection = True
            words = "Length missing or too large"
            return AwsError("RequestEntityTooLargeException", words, 413).response()
        names = [name.lower() for name in self.headers.keys()]  # noqa: SIM118 - repeated names count
        if len(set(names)) < len(names):
            self.close_connection = True
            return AwsError("InvalidSignatureException", "A header is given twice", 403).response()
        body = self.rfile.read(int(given))
        url = f"http://{self.headers.get('Host', '')}{self.path}"
        return self.server.cloud.handle(self.command, url, dict(self.headers.items()), body)
