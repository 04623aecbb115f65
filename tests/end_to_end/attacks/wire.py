"""What is wrong on the wire: signatures, replays, paths, cursors, bodies."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys

from tests.end_to_end.attacks.target import Attack, Run, Target, told
from tests.local_stack.client import Answer, Client, send

_REFUSED, _INVALID = "403 not_permitted", "400 invalid_request"


def _client(target: Target) -> Client:
    ready = target.stack.ready
    return Client(ready["api_url"], ready["region"], target.stack.credentials("partner"))


def _signed(
    target: Target, *, service: str = "execute-api", region: str | None = None, away: timedelta = timedelta()
) -> tuple[str, dict[str, str]]:
    """A signed GET of the partner's keys, signed for this service, this region, or at another time."""
    who, url = target.stack.credentials("partner"), f"{target.stack.ready['api_url']}/keys"
    request = AWSRequest("GET", url)
    moment = datetime.now(UTC).replace(tzinfo=None) + away
    keys = Keys(who.access_key_id, who.secret_access_key, who.session_token)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(keys, service, region or target.stack.ready["region"]).add_auth(request)
    return url, dict(request.headers.items())


def _get(change: Mapping[str, str | None] = {}, **signing: Any) -> Run:
    """The signed GET with headers replaced after signing; None takes one away."""

    def run(target: Target) -> str:
        url, headers = _signed(target, **signing)
        sent = {name: value for name, value in (headers | dict(change)).items() if value is not None}
        return told(send("GET", url, sent, b""))

    return run


def _others_token(target: Target) -> str:
    return _get({"X-Amz-Security-Token": target.stack.credentials("alice").session_token})(target)


def _other_query(target: Target) -> str:
    url, headers = _signed(target)
    return told(send("GET", f"{url}?limit=1", headers, b""))


def _other_path(target: Target) -> str:
    url, headers = _signed(target)
    return told(send("GET", url.replace("/keys", "/requests"), headers, b""))


def _other_body(target: Target) -> str:
    client, url = _client(target), f"{target.stack.ready['api_url']}/requests"
    body = json.dumps(target.stack.submission()).encode()
    headers = client.signed("POST", url, body, {})
    return told(send("POST", url, headers, body.replace(b"PT1H", b"PT8H")))


def _unsigned_payload(target: Target) -> str:
    client, url = _client(target), f"{target.stack.ready['api_url']}/requests"
    headers = client.signed("POST", url, b"{}", {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    return told(send("POST", url, headers, b"{}"))


def _path(method: str, path: str) -> Run:
    return lambda target: told(target.stack.call("partner", method, path))


def _query(path: str, **query: str) -> Run:
    return lambda target: told(target.stack.call("partner", "GET", path, query=query))


def _cursor(target: Target, person: str = "partner") -> str:
    for _ in range(2):
        target.submit(person)
    return str(target.stack.call(person, "GET", "/requests", query={"limit": "1"}).body["cursor"])


def _stolen_cursor(target: Target) -> str:
    query = {"limit": "1", "cursor": _cursor(target)}
    return told(target.stack.call("other_partner", "GET", "/requests", query=query))


def _cursor_elsewhere(target: Target) -> str:
    query = {"limit": "1", "cursor": _cursor(target), "status": "active"}
    return told(target.stack.call("partner", "GET", "/requests", query=query))


def _posted(target: Target, key: str, person: str = "partner", **changes: Any) -> Answer:
    body = target.stack.submission(person, **changes)
    return target.stack.call(person, "POST", "/requests", body, headers={"Idempotency-Key": key})


def _key_for_other_body(target: Target) -> str:
    assert _posted(target, "attack-1").status == 201
    return told(_posted(target, "attack-1", duration="PT8H"))


def _key_of_another(target: Target) -> str:
    mine, other = _posted(target, "attack-2"), _posted(target, "attack-2", "other_partner")
    return "apart" if other.status == 201 and other.body["id"] != mine.body["id"] else told(other)


def _vote_again(target: Target) -> str:
    request, key = target.submit("partner"), {"Idempotency-Key": "attack-3"}
    assert target.vote("alice", request, headers=key).status == 200
    again = target.vote("alice", request, headers=key)
    return f"{again.status}, {len(again.body['decisions'])} vote"


def _body(raw: bytes | None = None, **changes: Any) -> Run:
    """A submission changed so, or replaced by raw bytes: refused, naming each field, and nothing stored."""

    def run(target: Target) -> str:
        sent = raw if raw is not None else target.stack.submission(**changes)
        answer = target.stack.call("partner", "POST", "/requests", sent)
        fields = sorted({fault["field"] for fault in (answer.body or {}).get("errors", [])})
        return " ".join([told(answer), *fields])

    return run


_SUBMISSION = (
    b'{"key":"partner_data","grantee":"arn:aws:iam::444455556666:role/partner-application",'
    b'"operations":["Encrypt"],"encryption_context":{"a":"b"},"duration":"PT1H","reason":"x"'
)
ATTACKS = [
    Attack("call without a signature", _REFUSED, _get({"Authorization": None})),
    Attack("call with a made-up signature", _REFUSED, _get({"Authorization": "AWS4-HMAC-SHA256 x"})),
    Attack("sign for another service", _REFUSED, _get(service="kms")),
    Attack("sign for another region", _REFUSED, _get(region="us-east-1")),
    Attack("replay a signature of twenty minutes ago", _REFUSED, _get(away=timedelta(minutes=-20))),
    Attack("sign twenty minutes ahead", _REFUSED, _get(away=timedelta(minutes=20))),
    Attack("leave the session token out", _REFUSED, _get({"X-Amz-Security-Token": None})),
    Attack("bring another's session token", _REFUSED, _others_token),
    Attack("add a query after signing", _REFUSED, _other_query),
    Attack("change the path after signing", _REFUSED, _other_path),
    Attack("change the body after signing", _REFUSED, _other_body),
    Attack("leave the payload unsigned", _REFUSED, _unsigned_payload),
    Attack("claim an identity in a header", "200",
           lambda target: told(target.stack.call("partner", "GET", "/keys", headers={
               "X-Amzn-Caller-Account": "111122223333", "X-Forwarded-User": "alice"}))),
    Attack("claim to be an approver in a header", _REFUSED,
           lambda target: told(target.stack.call("partner", "GET", "/security/keys", headers={
               "X-Amzn-Caller-Account": "111122223333", "X-Forwarded-User": "alice"}))),
    Attack("walk up from a path of one's own", _REFUSED, _path("GET", "/requests/../security/requests")),
    Attack("walk up, encoded", _REFUSED, _path("GET", "/requests/%2e%2e%2fsecurity/requests")),
    Attack("double a slash", _REFUSED, _path("GET", "//security/requests")),
    Attack("write the path in capitals", _REFUSED, _path("GET", "/SECURITY/requests")),
    Attack("a method that no route has", _REFUSED, _path("PATCH", "/requests")),
    Attack("an unknown route", _REFUSED, _path("GET", "/admin")),
    Attack("use another's cursor", _INVALID, _stolen_cursor),
    Attack("use a cursor for another query", _INVALID, _cursor_elsewhere),
    Attack("make a cursor up", _INVALID, _query("/requests", cursor="bm90IG1pbmU=")),
    Attack("ask for a page of a million", _INVALID, _query("/requests", limit="1000000")),
    Attack("ask by a parameter that does not exist", _INVALID, _query("/requests", account="666677778888")),
    Attack("use an idempotency key for another body", "409 conflict", _key_for_other_body),
    Attack("use another account's idempotency key", "apart", _key_of_another),
    Attack("replay a vote", "200, 1 vote", _vote_again),
    Attack("send an idempotency key of 200 characters", _INVALID,
           lambda target: told(_posted(target, "k" * 200))),
    Attack("submit as somebody else", f"{_INVALID} requester",
           _body(requester={"account": "666677778888"})),
    Attack("submit as approved", f"{_INVALID} status", _body(status="approved")),
    Attack("name a grantee of another account", f"{_INVALID} grantee",
           _body(grantee="arn:aws:iam::666677778888:role/other-application")),
    Attack("name the account's root as grantee", f"{_INVALID} grantee",
           _body(grantee="arn:aws:iam::444455556666:root")),
    Attack("name every role as grantee", f"{_INVALID} grantee",
           _body(grantee="arn:aws:iam::444455556666:role/*")),
    Attack("name a service as grantee", f"{_INVALID} grantee", _body(grantee="ec2.amazonaws.com")),
    Attack("ask for Decrypt", f"{_INVALID} operations", _body(operations=["Decrypt"])),
    Attack("ask for CreateGrant", f"{_INVALID} operations", _body(operations=["Encrypt", "CreateGrant"])),
    Attack("ask for no constraint", f"{_INVALID} encryption_context", _body(encryption_context={})),
    Attack("context keys that differ by case only", f"{_INVALID} encryption_context",
           _body(encryption_context={"tenant": "a", "Tenant": "b"})),
    Attack("nine pairs of context", f"{_INVALID} encryption_context",
           _body(encryption_context={str(number): "x" for number in range(9)})),
    Attack("a context value that is no text", f"{_INVALID} encryption_context",
           _body(encryption_context={"tenant": 1})),
    Attack("ask for ten years", f"{_INVALID} duration", _body(duration="P3650D")),
    Attack("ask for no time", f"{_INVALID} duration", _body(duration="PT0S")),
    Attack("ask for negative time", f"{_INVALID} duration", _body(duration="-PT1H")),
    Attack("break a log line in the reason", f"{_INVALID} reason", _body(reason="x\r\nlevel=ERROR")),
    Attack("turn the reason around", f"{_INVALID} reason", _body(reason="safe \u202egnihtyreve")),
    Attack("half a character in the reason", f"{_INVALID} reason",
           _body(_SUBMISSION.replace(b'"x"', b'"\\ud800"') + b"}")),
    Attack("bytes that are not UTF-8", f"{_INVALID} reason",
           _body(_SUBMISSION.replace(b'"x"', b'"\xff\xfe"') + b"}")),
    Attack("name a field twice", f"{_INVALID} duration", _body(_SUBMISSION + b',"duration":"PT8H"}')),
    Attack("a number that is none", f"{_INVALID} body", _body(_SUBMISSION + b',"ticket":NaN}')),
    Attack("nest a thousand levels deep", f"{_INVALID} body", _body(b"[" * 1000 + b"]" * 1000)),
    Attack("a body that is no object", f"{_INVALID} body", _body(b'["Encrypt"]')),
    Attack("a body of 70 KB", "413 too_large", _body(b'{"reason":"' + b"x" * 70_000 + b'"}')),
]  # fmt: skip
