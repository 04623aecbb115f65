"""What schemathesis needs to know of the local stack: how calls are signed, and which data exists there."""

import json
import os
from pathlib import Path
from typing import Any

import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_READY = json.loads(Path(os.environ["GRANT_BROKER_READY"]).read_text("utf-8"))
# A key of the fuzzer's own: to close the founding key would close it to all submissions that follow.
_KEY_ID = os.environ["GRANT_BROKER_KEY"].rpartition("/")[2]
_PARTNER = _READY["people"]["partner"]
# Valid bodies name what exists, so that calls get past the checks that any made-up name fails.
_KNOWN = {
    "/requests": {
        "key": "partner_data", "grantee": _PARTNER["grantee"], "operations": ["Encrypt"], "duration": "PT5M",
        "starts_at": None,
    },
    "/security/approvals": {
        "key": "partner_data", "account": _PARTNER["account"], "grantee": None, "operations": ["Encrypt"],
        "max_duration": "PT1H", "valid_from": None,
    },
    "/security/keys/{key_id}": {
        "key_arn": os.environ["GRANT_BROKER_KEY"], "name": "fuzzed", "operations": ["Encrypt"],
        "max_duration": "PT1H", "max_continuous": "PT2H", "quorum": 1,
    },
}  # fmt: skip


class Signed(requests.auth.AuthBase):
    """Signature Version 4 with the credentials of one person of the local stack."""

    def __init__(self, person: str) -> None:
        who = _READY["people"][person]
        self._keys = Credentials(who["access_key_id"], who["secret_access_key"], who["session_token"])

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the signature's headers; of the others none is signed, as whatever is fuzzed may be odd."""
        signed = AWSRequest(request.method, request.url, data=request.body)
        SigV4Auth(self._keys, "execute-api", _READY["region"]).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


schemathesis.auth.set_from_requests(Signed("alice")).apply_to(path_regex="^/security")
schemathesis.auth.set_from_requests(Signed("partner")).skip_for(path_regex="^/security")


@schemathesis.hook
def before_call(_context: Any, case: schemathesis.Case, _kwargs: dict[str, Any]) -> None:  # noqa: ANN401
    """Put what exists into three of four valid calls."""
    if not (case.meta and case.meta.generation.mode.is_positive) or int(case.id.encode().hex(), 16) % 4 == 0:
        return
    if "key_id" in (case.path_parameters or {}):
        case.path_parameters["key_id"] = _KEY_ID
    if case.operation.path in _KNOWN and isinstance(case.body, dict):
        case.body = {**case.body, **_KNOWN[case.operation.path]}
        if "valid_until" in case.body:
            case.body["valid_until"] = _READY["valid_until"]
