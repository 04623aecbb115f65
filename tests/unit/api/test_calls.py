"""Who calls, and what a call's query and headers say."""

from typing import Any

import pytest

from grant_broker.api import query as queries
from grant_broker.api.caller import caller_of, ensure_approver, ensure_third_party
from grant_broker.api.headers import etag, idempotency_key_of, if_match_of
from grant_broker.domain.errors import InvalidRequest, NotPermitted, PreconditionFailed
from grant_broker.domain.people import Caller
from grant_broker.domain.times import parse_time

HOME, PARTNER = "111122223333", "444455556666"
SESSION = f"arn:aws:sts::{PARTNER}:assumed-role/writer/nightly"
USER = f"arn:aws:iam::{PARTNER}:user/team/alice"


def call(
    arn: str | None = SESSION,
    account: str | None = PARTNER,
    caller: str | None = "AROAW:nightly",
    **context: Any,
) -> dict[str, Any]:
    """A call that API Gateway let through."""
    identity = {"userArn": arn, "accountId": account, "caller": caller, "user": caller}
    return {"requestContext": {"stage": "live", "accountId": "111122223333", "identity": identity, **context}}


def refused(field: str) -> Any:
    """InvalidRequest that names this field alone."""
    return pytest.raises(InvalidRequest, match=f"^{field}: ")


def test_session() -> None:
    """A role session is known by its role's unique id and its session name."""
    assert caller_of(call()) == Caller(SESSION, PARTNER, "AROAW", "nightly")


def test_user() -> None:
    """A user is known by its unique id and has no session."""
    assert caller_of(call(USER, caller="AIDAALICE")) == Caller(USER, PARTNER, "AIDAALICE", None)


@pytest.mark.parametrize(
    "event",
    [
        call(stage="test-invoke-stage"), call(identity=None), call(identity={}), call(None), call(""),
        call(account=None), call(account=""), call(caller=None), call(caller=""),
        call(account="111122223333"), call(f"arn:aws:iam::{PARTNER}:root"),
        call(f"arn:aws:iam::{PARTNER}:role/writer"),
        call(f"arn:aws:sts::{PARTNER}:federated-user/alice"), call(f"{SESSION}/more"), call(f"{SESSION}\n"),
        call("arn:aws:sts::٤٤٤٤٥٥٥٥٦٦٦٦:assumed-role/writer/nightly", account="٤٤٤٤٥٥٥٥٦٦٦٦"),
    ],
)  # fmt: skip
def test_nobody(event: dict[str, Any]) -> None:
    """Root, federated users, the console's test button and incomplete identities are nobody."""
    with pytest.raises(NotPermitted):
        caller_of(event)


def test_headers_say_nothing() -> None:
    """No header can change who calls."""
    event = {
        **call(),
        "headers": {"X-Amz-Account": "1"},
        "multiValueHeaders": {"userArn": ["arn:aws:iam::1:root"]},
    }
    assert caller_of(event).arn == SESSION


def query(**given: list[str]) -> dict[str, Any]:
    """A call with these query parameters."""
    return {"multiValueQueryStringParameters": given or None}


def test_query() -> None:
    """Known parameters, each named once, are read."""
    assert queries.read(query(), ()) == {}
    assert queries.read(query(limit=["5"], status=[""]), ("limit", "status", "cursor")) == {
        "limit": "5",
        "status": "",
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"other": ["1"]}, "other"), ({"limit": ["1", "1"]}, "limit"), ({"limit": []}, "limit"),
        ({"limit": ["1\n"]}, "limit"), ({"limit": ["\u202e"]}, "limit"), ({"limit": [chr(0xD800)]}, "limit"),
        ({"limit": ["\ufffd"]}, "limit"), ({"a\u202e": ["1"]}, "body"),
        ({"": ["1"]}, "body"), ({"a" * 65: ["1"]}, "body"),
    ],
)  # fmt: skip
def test_bad_query(given: dict[str, list[str]], field: str) -> None:
    """Unknown, repeated and unfit parameters are refused by name, a name unfit to be shown without it."""
    with refused(field):
        queries.read(query(**given), ("limit",))


def test_all_of_a_query() -> None:
    """All faults of a query are told at once."""
    with pytest.raises(InvalidRequest) as found:
        queries.read(query(a=["1"], limit=["1", "2"]), ("limit",))
    assert {fault.field for fault in found.value.faults} == {"a", "limit"}


@pytest.mark.parametrize(("text", "limit"), [(None, 50), ("1", 1), ("100", 100)])
def test_limit(text: str | None, limit: int) -> None:
    """A limit is 1 to 100, 50 where none is given."""
    assert queries.limit_of({"limit": text} if text else {}) == limit


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "+1", "101", "1000", "1.0", "1e1", "01", " 1", "\u0661", "1\n", "9" * 5000]
)
def test_bad_limit(text: str) -> None:
    """Every other limit is refused."""
    with refused("limit"):
        queries.limit_of({"limit": text})


def test_values() -> None:
    """A parameter is one of its values, of its form or a time, or absent."""
    assert queries.one_of({}, "status", ("a", "b")) is None
    assert queries.one_of({"status": "b"}, "status", ("a", "b")) == "b"
    with refused("status"):
        queries.one_of({"status": ""}, "status", ("a", "b"))
    assert queries.matching({}, "key", str.isdigit) is None
    assert queries.matching({"key": "1"}, "key", str.isdigit) == "1"
    with refused("key"):
        queries.matching({"key": "x"}, "key", str.isdigit)
    assert queries.time_of({}, "since", parse_time) is None
    assert queries.time_of({"since": "2026-01-31T09:30:00Z"}, "since", parse_time) == parse_time(
        "2026-01-31T09:30:00Z"
    )
    with refused("since"):
        queries.time_of({"since": "yesterday"}, "since", parse_time)


@pytest.mark.parametrize("key", ["a", "!~", "a b", "k" * 128])
def test_idempotency_key(key: str) -> None:
    """An Idempotency-Key is 1 to 128 printable ASCII characters, whatever the case of its name."""
    assert idempotency_key_of({"multiValueHeaders": None}) is None
    assert idempotency_key_of({"multiValueHeaders": {"idempotency-KEY": [key], "Other": ["x"]}}) == key


@pytest.mark.parametrize("keys", [[""], ["k" * 129], ["ü"], ["a\n"], [" a"], ["a "], ["\x7f"], ["a", "a"]])
def test_bad_idempotency_key(keys: list[str]) -> None:
    """Two of them, none in it, or other characters are refused."""
    with refused("Idempotency-Key"):
        idempotency_key_of({"multiValueHeaders": {"Idempotency-Key": keys}})


@pytest.mark.parametrize(("account", "trusted"), [(PARTNER, True), (HOME, True), ("777788889999", False)])
def test_third_party(account: str, *, trusted: bool) -> None:
    """Trusted accounts and the home account are third parties, no others."""
    caller = Caller(f"arn:aws:sts::{account}:assumed-role/r/s", account, "AROAR", "s")
    if trusted:
        ensure_third_party(caller, {PARTNER, HOME})
    else:
        with pytest.raises(NotPermitted):
            ensure_third_party(caller, {PARTNER, HOME})


@pytest.mark.parametrize(
    ("account", "role", "roles", "may"),
    [
        (HOME, "AROAAPPROVER", ("AROAAPPROVER",), True),
        (HOME, "AROAOTHER", ("AROAAPPROVER",), False),
        (PARTNER, "AROAAPPROVER", ("AROAAPPROVER",), False),
        (PARTNER, "AROAOTHER", ("AROAAPPROVER",), False),
        (HOME, "AROAAPPROVER", (), False),
    ],
)
def test_approver(account: str, role: str, roles: tuple[str, ...], *, may: bool) -> None:
    """An approver is of the home account, with a role on the list by its unique id."""
    caller = Caller(f"arn:aws:sts::{account}:assumed-role/r/s", account, role, "s")
    if may:
        ensure_approver(caller, home_account=HOME, role_ids=roles)
    else:
        with pytest.raises(NotPermitted):
            ensure_approver(caller, home_account=HOME, role_ids=roles)


@pytest.mark.parametrize(
    ("given", "good", "stale"),
    [
        ([], [None, 1, 2], []), (['"2"'], [2], [None, 1, 22]), (['"1", "2"'], [1, 2], [None, 3]),
        (['"1"', '"2"'], [1, 2], [3]), (["*"], [1, 2], [None]), (['W/"2"'], [], [None, 2]), (['""'], [], [1]),
        (['"none"'], [], [None, 1]),
    ],
)  # fmt: skip
def test_if_match(given: list[str], good: list[int | None], stale: list[int | None]) -> None:
    """One of the ETags is that of the present version; `*` is any that exists, no header any or none."""
    asked = if_match_of({"multiValueHeaders": {"if-match": given}})
    for version in good:
        asked.ensure(version)
    for version in stale:
        with pytest.raises(PreconditionFailed):
            asked.ensure(version)
    assert etag(2) == '"2"'


@pytest.mark.parametrize("given", ["2", '"', '"a"b"', "", "*, *", '"ü"', f'"{"1" * 65}"', '"1",'])
def test_bad_if_match(given: str) -> None:
    """What is no list of ETags is refused."""
    with refused("If-Match"):
        if_match_of({"multiValueHeaders": {"If-Match": [given]}})
