"""The gateway's own answers, as the template's GatewayResponses say."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.local_stack.template import Template
from tests.local_stack.triggers import gateway_responses

Headers = list[tuple[str, str]]
Reply = tuple[int, Headers, bytes]
_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.]+)")
# What each type is where the template says nothing: its status and the response that it falls back to.
_TYPES = {
    "ACCESS_DENIED": (403, "DEFAULT_4XX"),
    "BAD_REQUEST_PARAMETERS": (400, "DEFAULT_4XX"),
    "EXPIRED_TOKEN": (403, "DEFAULT_4XX"),
    "INVALID_SIGNATURE": (403, "DEFAULT_4XX"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "DEFAULT_4XX"),
    "REQUEST_TOO_LARGE": (413, "DEFAULT_4XX"),
    "API_CONFIGURATION_ERROR": (500, "DEFAULT_5XX"),
    "INTEGRATION_FAILURE": (504, "DEFAULT_5XX"),
    "INTEGRATION_TIMEOUT": (504, "DEFAULT_5XX"),
}


@dataclass(frozen=True)
class Refusals:
    """Response type to what the template says about it."""

    declared: Mapping[str, dict[str, Any]]

    @classmethod
    def of(cls, template: Template) -> "Refusals":
        """The template's."""
        return cls(gateway_responses(template))

    def reply(self, kind: str, message: str = "") -> Reply:
        """The answer of a response type; `message` is what AWS's own template would tell."""
        status, default = _TYPES[kind]
        found = self.declared.get(kind) or self.declared.get(default) or {}
        context = {"requestId": str(uuid.uuid4()), "error.message": message, "error.responseType": kind}
        templates = found.get("ResponseTemplates") or {
            "application/json": '{"message":"$context.error.message"}'
        }
        text = _VARIABLE.sub(lambda match: context.get(match[1], ""), templates["application/json"])
        given = found.get("ResponseParameters", {}).get("Headers", {})
        headers = {"Content-Type": "application/json"} | {
            name: value.strip("'") for name, value in given.items()
        }
        headers["x-amzn-RequestId"] = context["requestId"]
        return int(found.get("StatusCode", status)), list(headers.items()), text.encode()
