"""People who are who they are, and try what is not theirs: other accounts, colleagues, deciders."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.end_to_end.attacks.target import CONTEXT, HOME, PARTNER, Attack, Run, Target, told, tried
from tests.support.limits import limits

_NOBODY = "0123456789abcdef" * 2


def _api(person: str, method: str, path: str, body: Any = None) -> Run:
    def run(target: Target) -> str:
        where = path.format(live=target.grant["id"], pending=target.pending["id"])
        return told(target.stack.call(person, method, where, body))

    return run


def _same_words(target: Target) -> str:
    answers = [
        target.stack.call("other_partner", "GET", f"/requests/{each}")
        for each in (target.grant["id"], _NOBODY)
    ]
    return "alike" if answers[0].body == answers[1].body else "told apart"


def _no_token(target: Target) -> str:
    seen = target.stack.call("partner_colleague", "GET", f"/requests/{target.grant['id']}").body
    return "no token" if seen["grant"]["grant_token"] is None else "token"


def _no_token_in_lists(target: Target) -> str:
    path = f"/security/requests/{target.grant['id']}"
    texts = [
        str(target.stack.call("partner", "GET", "/requests").body),
        str(target.stack.call("alice", "GET", path).body),
        str(target.stack.call("alice", "GET", "/security/events").body),
    ]
    return "token" if any(target.grant["grant"]["grant_token"] in text for text in texts) else "no token"


def _by(person: str, grantee: str = "data_reader") -> Run:
    return lambda target: told(target.vote(person, target.own(grantee)))


def _twice(first: str, second: str) -> Run:
    def run(target: Target) -> str:
        request = target.own("data_reader")
        assert target.vote(first, request).status == 200
        return told(target.vote(second, request))

    return run


def _one_of_two(target: Target) -> str:
    request = target.own("data_reader")
    assert target.vote("bob", request).body["status"] == "pending"
    return told(target.stack.call("alice", "POST", f"/requests/{request['id']}/grant"))


def _after_denial(target: Target) -> str:
    request, path = target.submit("partner"), "/security/requests/{}/decision"
    denial = {"verdict": "deny", "comment": "not needed"}
    assert target.stack.call("alice", "POST", path.format(request["id"]), denial).status == 200
    return told(target.vote("bob", request))


def _longer(target: Target) -> str:
    path = f"/security/requests/{target.pending['id']}/decision"
    return told(target.stack.call("alice", "POST", path, {"verdict": "approve", "duration": "PT7H"}))


def _for_oneself(target: Target) -> str:
    body = {
        "key": target.home_key, "account": HOME, "grantee": target.stack.grantee("alice"),
        "operations": ["Encrypt"], "encryption_context": CONTEXT, "max_duration": "PT1H",
        "valid_until": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}", "reason": "for me",
    }  # fmt: skip
    return told(target.stack.call("alice", "POST", "/security/approvals", body))


def _for_the_broker(target: Target) -> str:
    body = target.stack.submission("alice", key=target.home_key, grantee=target.role("requests"))
    return told(target.stack.call("alice", "POST", "/requests", body))


def _ahead_for_the_broker(target: Target) -> str:
    body = {
        "key": target.home_key, "account": HOME, "grantee": target.role("expiry"),
        "operations": ["Encrypt"], "encryption_context": CONTEXT, "max_duration": "PT1H",
        "valid_until": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}", "reason": "for it",
    }  # fmt: skip
    return told(target.stack.call("alice", "POST", "/security/approvals", body))


def _widened_alone(target: Target) -> str:
    key_id = target.home_key.rpartition("/")[2]
    document = limits(name="home_data", accounts=[HOME], quorum=1)
    answer = target.stack.call("alice", "PUT", f"/security/keys/{key_id}", document)
    again = target.stack.call("alice_in_review", "PUT", f"/security/keys/{key_id}", document)
    return f"{answer.status}, {again.status} {again.body['votes']} of {again.body['quorum']}"


def _on_the_duty_key(person: str, method: str, path: str, body: Any = None) -> Run:
    def run(target: Target) -> str:
        key_id = target.duty_key.rpartition("/")[2]
        request = target.submit("partner", key="duty_data", encryption_context=CONTEXT)
        return told(target.stack.call(person, method, path.format(key=key_id, request=request["id"]), body))

    return run


def _ahead_on_the_duty_key(target: Target) -> str:
    body = {
        "key": target.duty_key, "account": PARTNER, "operations": ["Encrypt"], "encryption_context": CONTEXT,
        "max_duration": "PT1H", "reason": "for them",
        "valid_until": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    return told(target.stack.call("alice", "POST", "/security/approvals", body))


def _breaks(person: str, asker: str = "partner") -> Run:
    """Break the glass for a request of somebody's on the emergency key."""

    def run(target: Target) -> str:
        request = target.submit(asker, key=target.emergency_key, encryption_context=CONTEXT)
        path = f"/requests/{request['id']}/break-glass"
        return told(target.stack.call(person, "POST", path, {"reason": "in a hurry"}))

    return run


def _taken_up_on_the_duty_key(target: Target) -> str:
    request = target.approved_before["id"]
    return told(target.stack.call("partner", "POST", f"/requests/{request}/grant"))


def _encrypt(person: str, operation: str, **changes: Any) -> Run:
    def run(target: Target) -> str:
        token = [target.grant["grant"]["grant_token"]]
        given = {"KeyId": target.stack.key, "GrantTokens": token, "EncryptionContext": CONTEXT} | changes
        if operation == "encrypt":
            given["Plaintext"] = b"order"
        elif operation == "generate_data_key":
            given["KeySpec"] = "AES_256"
        return tried(getattr(target.stack.aws(person, "kms"), operation), **given)

    return run


def _decrypt(target: Target) -> str:
    kms, context = (
        target.stack.aws("partner", "kms"),
        {"EncryptionContext": target.grant["encryption_context"]},
    )
    sealed = kms.encrypt(KeyId=target.stack.key, Plaintext=b"order", **context)["CiphertextBlob"]
    return tried(kms.decrypt, CiphertextBlob=sealed, KeyId=target.stack.key, **context)


def _pass_on(target: Target) -> str:
    return tried(
        target.stack.aws("partner", "kms").create_grant,
        KeyId=target.stack.key, GranteePrincipal=target.stack.grantee("partner_colleague"),
        Operations=["Encrypt"], Constraints={"EncryptionContextEquals": CONTEXT},
    )  # fmt: skip


_VOTE = {"verdict": "approve"}
_REFUSED = "403 not_permitted"
_DUTY_KEY = "/security/keys/{key}"


def _extended(target: Target, person: str, **changes: Any) -> str:
    path = f"/requests/{target.grant['id']}/extension"
    body = {"duration": "PT2H", "reason": "more", **changes}
    return told(target.stack.call(person, "POST", path, body))


def _extended_by_oneself(target: Target) -> str:
    path = f"/requests/{target.grant['id']}/extension"
    made = target.stack.call("partner", "POST", path, {"duration": "PT2H", "reason": "more"}).body
    early = told(target.stack.call("partner", "POST", f"/requests/{made['id']}/grant"))
    assert target.stack.call("partner", "DELETE", f"/requests/{made['id']}").status == 200
    return early


ATTACKS = [
    Attack("a colleague goes on with a grant", _REFUSED,
           lambda target: _extended(target, "partner_colleague")),
    Attack("another account goes on with a grant", "404 not_found",
           lambda target: _extended(target, "other_partner")),
    Attack("an extension asks for more operations", "400 invalid_request",
           lambda target: _extended(target, "partner", operations=["Decrypt"])),
    Attack("an extension asks for another grantee", "400 invalid_request",
           lambda target: _extended(target, "partner", grantee=target.stack.grantee("partner_colleague"))),
    Attack("an extension is taken up before it is approved", "409 conflict", _extended_by_oneself),
    Attack("an approver decides on a key of other approvers", _REFUSED,
           _on_the_duty_key("alice", "POST", "/security/requests/{request}/decision", _VOTE)),
    Attack("an approver approves ahead on a key of other approvers", _REFUSED, _ahead_on_the_duty_key),
    Attack("an approver opens a key of other approvers to all", _REFUSED,
           _on_the_duty_key("alice", "PATCH", _DUTY_KEY, {"approvers": None})),
    Attack("a colleague breaks the glass for another's request", _REFUSED, _breaks("partner_colleague")),
    Attack("somebody whom the key does not name breaks the glass", _REFUSED,
           _breaks("partner_colleague", "partner_colleague")),
    Attack("break the glass of a key that has none", _REFUSED,
           _api("partner", "POST", "/requests/{pending}/break-glass", {"reason": "in a hurry"})),
    Attack("a partner signs its own break-glass off", _REFUSED,
           _api("partner", "POST", f"/security/reviews/break-glass/{_NOBODY}", {"comment": "fine"})),
    Attack("a vote of who is no approver of the key any more is taken up", "409 conflict",
           _taken_up_on_the_duty_key),
    Attack("an untrusted account submits", _REFUSED, _api("outsider", "POST", "/requests", {})),
    Attack("an untrusted account lists keys", _REFUSED, _api("outsider", "GET", "/keys")),
    Attack("a partner reads the security queue", _REFUSED, _api("partner", "GET", "/security/requests")),
    Attack("a partner reads the audit trail", _REFUSED, _api("partner", "GET", "/security/events")),
    Attack(
        "a partner approves its own request", _REFUSED,
        _api("partner", "POST", "/security/requests/{pending}/decision", _VOTE),
    ),
    Attack("a partner approves ahead", _REFUSED, _api("partner", "POST", "/security/approvals", {})),
    Attack("a partner registers a key", _REFUSED, _api("partner", "PUT", "/security/keys/a", {})),
    Attack(
        "a key administrator decides", _REFUSED,
        _api("key_admin", "POST", "/security/requests/{pending}/decision", _VOTE),
    ),
    Attack("a role that calls itself AWSReservedSSO_ decides", _REFUSED,
           _api("impostor", "POST", "/security/requests/{pending}/decision", _VOTE)),
    Attack("the root user decides", _REFUSED,
           _api("root", "POST", "/security/requests/{pending}/decision", _VOTE)),
    Attack("the EC2 role calls the API", _REFUSED, _api("data_reader", "GET", "/requests")),
    Attack("guess a request's id", "404 not_found", _api("partner", "GET", f"/requests/{_NOBODY}")),
    Attack("read another account's request", "404 not_found",
           _api("other_partner", "GET", "/requests/{live}")),
    Attack("tell another account's request from none", "alike", _same_words),
    Attack("withdraw another account's request", "404 not_found",
           _api("other_partner", "DELETE", "/requests/{pending}")),
    Attack("release another account's grant", "404 not_found",
           _api("other_partner", "DELETE", "/requests/{live}/grant")),
    Attack("take up another account's request", "404 not_found",
           _api("other_partner", "POST", "/requests/{pending}/grant")),
    Attack("withdraw a colleague's request", _REFUSED,
           _api("partner_colleague", "DELETE", "/requests/{pending}")),
    Attack("release a colleague's grant", _REFUSED,
           _api("partner_colleague", "DELETE", "/requests/{live}/grant")),
    Attack("take up a colleague's request", _REFUSED,
           _api("partner_colleague", "POST", "/requests/{pending}/grant")),
    Attack("read a colleague's grant token", "no token", _no_token),
    Attack("find the grant token in a list, a trail or an event", "no token", _no_token_in_lists),
    Attack("take up before anybody decided", "409 conflict",
           _api("partner", "POST", "/requests/{pending}/grant")),
    Attack("approve one's own request", _REFUSED, _by("alice")),
    Attack("approve one's own request through a second permission set", _REFUSED, _by("alice_in_review")),
    Attack("approve as the grantee, under a session of one's own", _REFUSED, _by("duty", "duty")),
    Attack("approve as the grantee, under another session name", _REFUSED, _by("duty_again", "duty")),
    Attack("vote twice", "409 conflict", _twice("bob", "bob")),
    Attack("vote twice through two sessions of one role", "409 conflict", _twice("duty", "duty_again")),
    Attack("take up with one vote of two", "409 conflict", _one_of_two),
    Attack("approve what somebody denied", "409 conflict", _after_denial),
    Attack("lengthen a duration by a vote", "400 invalid_request", _longer),
    Attack("approve ahead for oneself", _REFUSED, _for_oneself),
    Attack("ask for a grant to the broker's own role", "400 invalid_request", _for_the_broker),
    Attack("approve ahead for the broker's own role", "400 invalid_request", _ahead_for_the_broker),
    Attack("lower a key's quorum with two permission sets of one person", "202, 202 1 of 2", _widened_alone),
    Attack("encrypt with another's grant token", "AccessDeniedException",
           _encrypt("partner_colleague", "encrypt")),
    Attack("encrypt from another account with the grant token", "AccessDeniedException",
           _encrypt("other_partner", "encrypt")),
    Attack("encrypt with another context", "AccessDeniedException",
           _encrypt("partner", "encrypt", EncryptionContext={"dataset": "salaries"})),
    Attack("encrypt with one pair more", "AccessDeniedException",
           _encrypt("partner", "encrypt", EncryptionContext={**CONTEXT, "more": "1"})),
    # Reading of KMS, the wider one: constraints compare keys without regard to case. It opens nothing to
    # read, since a ciphertext's own context is exact.
    Attack("encrypt with the context's key in another case", "done",
           _encrypt("partner", "encrypt", EncryptionContext={"Dataset": "orders"})),
    Attack("encrypt without a context", "AccessDeniedException",
           _encrypt("partner", "encrypt", EncryptionContext={})),
    Attack("make a data key with a grant for Encrypt", "AccessDeniedException",
           _encrypt("partner", "generate_data_key")),
    Attack("decrypt what one encrypted oneself", "AccessDeniedException", _decrypt),
    Attack("pass a grant on", "AccessDeniedException", _pass_on),
]  # fmt: skip
