"""What schemathesis needs to know of the local stack: how calls are signed, and which data exists there."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_UP = json.loads(Path(os.environ["GRANT_BROKER_UP"]).read_text("utf-8"))
_ANSWERS = Path(os.environ["GRANT_BROKER_ANSWERS"])
_PARTNER = _UP["people"]["partner"]
_PARTNER_DATA = _UP["keys"]["partner_data"].rpartition("/")[2]
_SUBMISSION = {
    "key": "partner_data", "grantee": _PARTNER["grantee"], "operations": ["Encrypt"], "duration": "PT5M",
    "starts_at": None,
}  # fmt: skip
_APPROVAL = {
    "key": "partner_data", "account": _PARTNER["account"], "grantee": None, "operations": ["Encrypt"],
    "max_duration": "PT1H", "valid_from": None, "valid_until": _UP["valid_until"],
    "windows": None,
}  # fmt: skip
_WORDS = {"reason": "to be fuzzed", "encryption_context": {"made": "for the fuzzer"}}
_ACCOUNT = {"account": _PARTNER["account"], "name": "fuzzed", "event_bus": None}
# Valid bodies name what exists, so that calls get past the checks that any made-up name fails.
_KNOWN: dict[str, dict[str, Any]] = {
    "/requests": _SUBMISSION,
    "/requests/{request_id}/extension": {"duration": "PT1H"},
    "/security/approvals": _APPROVAL,
    # Nobody's: a block of everything would have every other operation refused.
    "/security/revocations": {"key": None, "account": "0" * 12, "grantee": None, "all": None},
    "/security/keys/{key_id}": {
        "key_arn": _UP["fuzzed_key"], "name": "fuzzed", "operations": ["Encrypt"], "max_duration": "PT1H",
        "max_continuous": "PT2H", "quorum": 1, "ticket_hook": None,
    },
    "/security/accounts/{account}": _ACCOUNT,
}  # fmt: skip


class Signed(requests.auth.AuthBase):
    """Signature Version 4 with the credentials of one person of the local stack."""

    def __init__(self, person: str) -> None:
        who = _UP["people"][person]
        self._keys = Credentials(who["access_key_id"], who["secret_access_key"], who["session_token"])

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the signature's headers; of the others none is signed, as whatever is fuzzed may be odd."""
        # A space as "+" is signed as a plus, and read as a space.
        request.url = (request.url or "").replace("+", "%20")
        signed = AWSRequest(request.method, request.url, data=request.body)
        SigV4Auth(self._keys, "execute-api", _UP["region"]).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


def _made(person: str, path: str, body: dict[str, Any]) -> str:
    """What a POST made: its id; empty where it was refused, as when the minute's submissions are used up."""
    answer = requests.post(_UP["api_url"] + path, json=body, auth=Signed(person), timeout=60)
    return str(answer.json().get("id", ""))


def _pending() -> str:
    return _made("partner", "/requests", {**_SUBMISSION, **_WORDS})


def _approved() -> str:
    made = _pending()
    _made("alice", f"/security/requests/{made}/decision", {"verdict": "approve"})
    return made


def _active() -> str:
    made = _approved()
    _made("partner", f"/requests/{made}/grant", {})
    return made


def _half_approved() -> str:
    return _made("bob", "/security/approvals", {**_APPROVAL, **_WORDS, "key": "two_votes"})


def _named() -> str:
    """The id of an account that is named."""
    url = f"{_UP['api_url']}/security/accounts/{_ACCOUNT['account']}"
    requests.put(url, json=_ACCOUNT, auth=Signed("alice"), timeout=60)
    return str(_ACCOUNT["account"])


def _registered() -> str:
    """The id of a key that is to be changed and closed, and is open now: all its limits are another's."""
    url, mine = f"{_UP['api_url']}/security/keys/", _UP["fuzzed_key"].rpartition("/")[2]
    limits = requests.get(url + _PARTNER_DATA, auth=Signed("alice"), timeout=60).json()
    limits |= {"key_arn": _UP["fuzzed_key"], "name": "fuzzed"}
    requests.put(url + mine, json=limits, auth=Signed("alice"), timeout=60)
    return str(mine)


def _breakable() -> str:
    """A request that waits, on a key whose break-glass names the partner."""
    rules: dict[str, Any] = {"principals": [_PARTNER["grantee"]], "max_duration": "PT15M", "per_day": 100}
    url = f"{_UP['api_url']}/security/keys/{_PARTNER_DATA}"
    requests.patch(url, json={"break_glass": rules}, auth=Signed("alice"), timeout=60)
    return _pending()


def _broken() -> str:
    made = _breakable()
    _made("partner", f"/requests/{made}/break-glass", {"reason": "to be fuzzed"})
    return made


_VALID = Counter[str]()
"""The valid calls of each operation so far."""
# What an operation needs to find in order to succeed, made just in time: each uses it up.
_FRESH = {
    "DELETE /requests/{request_id}": _pending,
    "POST /requests/{request_id}/grant": _approved,
    "DELETE /requests/{request_id}/grant": _active,
    "POST /requests/{request_id}/extension": _active,
    "POST /requests/{request_id}/break-glass": _breakable,
    "POST /security/reviews/{kind}/{review_id}": _broken,
    "POST /security/requests/{request_id}/decision": _pending,
    "DELETE /security/requests/{request_id}/grant": _active,
    "POST /security/approvals/{approval_id}/decision": _half_approved,
    "GET /security/accounts/{account}": _named,
    "PUT /security/accounts/{account}": _named,
    "DELETE /security/accounts/{account}": _named,
    "PUT /security/keys/{key_id}": lambda: _UP["fuzzed_key"].rpartition("/")[2],
    "PATCH /security/keys/{key_id}": _registered,
    "DELETE /security/keys/{key_id}": _registered,
}

# The library puts this attribute on its decorator, and types the decorator alone.
set_auth: Any = vars(schemathesis.auth)["set_from_requests"]
set_auth(Signed("alice")).apply_to(path_regex="^/security")
set_auth(Signed("partner")).skip_for(path_regex="^/security")


@schemathesis.hook
def before_call(_context: Any, case: schemathesis.Case[Any], _kwargs: dict[str, Any]) -> None:  # noqa: ANN401
    """Put what exists into three of four valid calls."""
    always = case.operation.path == "/security/revocations"
    if not (case.meta and case.meta.generation.mode.is_positive):
        return
    # Counted, not drawn: the one example of an operation, which comes first, must not be left out by chance.
    _VALID[case.operation.label] += 1
    if _VALID[case.operation.label] % 4 == 0 and not always:
        return
    if "key_id" in (case.path_parameters or {}):
        case.path_parameters["key_id"] = _PARTNER_DATA
    if make := _FRESH.get(case.operation.label):
        *_, name = case.path_parameters
        case.path_parameters[name] = make() or "0" * 32
    if case.operation.path in _KNOWN and isinstance(case.body, dict):
        case.body = {**case.body, **_KNOWN[case.operation.path]}


@schemathesis.hook
def after_call(_context: Any, case: schemathesis.Case[Any], response: Any) -> None:  # noqa: ANN401
    """Note the answer: which operations were reached, and how far."""
    with _ANSWERS.open("a", encoding="utf-8") as file:
        file.write(f"{case.operation.label}\t{response.status_code}\n")
