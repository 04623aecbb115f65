"""moto, asked for what has been decided already: it checks no right and believes what it is sent."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber

from tests.local_aws import snapshots
from tests.local_aws.answers import AwsError, Response
from tests.local_aws.requests import Request

# Nothing else is passed on: moto would take an account or an encoding from what was not decided by.
_PASSED_ON = ("authorization", "content-type", "smithy-protocol", "user-agent", "x-amz-date", "x-amz-target")


class Moto:
    """moto's services in one Region."""

    def __init__(self, region: str) -> None:
        self._region, self._stubber = region, BotocoreStubber()
        snapshots.install()

    def forward(
        self, service: str, account: str, request: Request, operation: str, parameters: Mapping[str, Any]
    ) -> Response:
        """moto's answer, in this account. Raises AwsError."""
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        path = "/"
        if request.protocol == "json":
            body = _json(request, parameters)
        elif request.protocol == "query":
            body = urlencode(parameters).encode()
            headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
        else:
            path, body = request.path, request.body
            headers.pop("x-amz-target", None)
            if b"Action=" in body:
                raise AwsError("ValidationException", "moto would take this body for a form")
            if "content-encoding" in request.headers:
                headers["content-encoding"] = request.headers["content-encoding"]
        return self._send(self._host(service, headers), account, path, headers, body, operation)

    def _host(self, service: str, headers: Mapping[str, str]) -> str:
        streams = headers.get("x-amz-target", "").startswith("DynamoDBStreams")
        return f"{'streams.' if streams else ''}{service}.{self._region}.amazonaws.com"

    def _send(  # noqa: PLR0917 - one request's parts
        self, host: str, account: str, path: str, headers: Mapping[str, str], body: bytes, operation: str
    ) -> Response:
        sent = HTTPHeaders.from_dict({**headers, "Host": host, "x-moto-account-id": account})
        prepared = AWSPreparedRequest("POST", f"https://{host}{path}", sent, body, stream_output=False)
        try:
            found = self._stubber.process_request(prepared)
        except NotImplementedError as error:
            raise AwsError("UnsupportedOperationException", f"moto has no {operation}.") from error
        # moto stumbles over what AWS refuses, in many ways; the caller gets an answer all the same.
        except Exception as error:
            raise AwsError("InternalFailure", f"moto could not answer {operation}: {error!r}", 500) from error
        if found is None:
            raise AwsError("UnknownOperationException", "No such operation", 404)
        status, answered, text = found
        return status, dict(answered), text.encode() if isinstance(text, str) else text


def _json(request: Request, parameters: Mapping[str, Any]) -> bytes:
    return request.body if b"&" not in request.body else _escaped(json.dumps(parameters))


def _escaped(text: str) -> bytes:
    # moto reads JSON as a form too, and in a form an Action goes before the header's operation.
    return text.replace("&", "\\u0026").encode()
