"""The broker's checks of its own rights on each key, against the strict local KMS."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.domain.checks import UNKNOWN, Function
from grant_broker.requests.check import check_key
from tests.support.faults import answered, before, refused
from tests.support.scene import InProcessStack

PASSED = {"requests": "passed", "expiry": "passed"}


@pytest.fixture
def scene(unregistered: InProcessStack) -> InProcessStack:
    """The founding scenario; its key is not registered yet."""
    return unregistered


def results(found: dict[str, Any]) -> dict[str, str | None]:
    """Result by function."""
    return {check["function"]: check["result"] for check in found["checks"]}


def missing(found: dict[str, Any], function: str) -> list[str]:
    """What a function lacks."""
    [of_function] = [check["missing"] for check in found["checks"] if check["function"] == function]
    words: list[str] = of_function
    return words


def events(scene: InProcessStack, function: str) -> list[str]:
    """The types of the events about a function's check."""
    trail = scene.brokers.broker("approvals").store.get_trail(f"check#{function}#{scene.key_arn}")
    return [event.type for event in trail]


def test_a_key_is_checked_when_it_is_registered(scene: InProcessStack) -> None:
    """Until its first check nothing is known; that is due at once, and the founding key passes."""
    scene.limit()
    first = scene.security("GET", "/check").body
    assert first["grantable"] is None
    assert scene.submit().status == 201
    assert {(check["result"], check["at"], check["next_at"]) for check in first["checks"]} == {
        (None, None, "2030-01-01T00:00:00Z")
    }
    checked = scene.check()
    assert (results(checked), checked["grantable"]) == (PASSED, True)
    assert {check["next_at"] for check in checked["checks"]} == {"2030-01-01T01:00:00Z"}
    assert scene.cloud.grants(scene.key_arn) == []
    assert (events(scene, "requests"), events(scene, "expiry")) == ([], [])


def test_a_key_is_registered_before_its_policy_knows_the_broker(scene: InProcessStack) -> None:
    """With the default policy it is registered and told what it lacks; until then nothing is granted."""
    root = {"AWS": "arn:aws:iam::111122223333:root"}
    default = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    scene.key_arn = scene.cloud.create_key({"Version": "2012-10-17", "Statement": [default]})
    assert scene.limit().status == 201
    assert (results(scene.check()), scene.submit().status) == ({"requests": None, "expiry": "failed"}, 409)
    found = scene.security("GET", "/policy").body
    assert found["policy"]["Statement"] == [default, *found["statements"]]
    scene.cloud.put_key_policy(scene.key_arn, found["policy"])
    scene.security("POST", "/check")
    assert (results(scene.check()), scene.submit().status) == (PASSED, 201)


def test_checks_are_hourly(scene: InProcessStack) -> None:
    """Within the hour nothing is asked of KMS, after it everything is asked again."""
    scene.limit()
    at = scene.check()["checks"][0]["at"]
    scene.clock.advance(minutes=59)
    assert scene.check()["checks"][0]["at"] == at
    scene.clock.advance(minutes=1)
    assert [check["at"] for check in scene.check()["checks"]] == ["2030-01-01T01:00:00Z"] * 2


@pytest.mark.parametrize(
    ("sid", "function", "words"),
    [
        ("Issue", "requests", "kms:CreateGrant is not allowed: the key's policy lacks the statement Issue"),
        (
            "End",
            "expiry",
            'kms:RevokeGrant is not allowed: Statement "Administration" of the key policy lets it',
        ),
        ("ReadPolicy", "expiry", "KMS refuses to show the key's policy or grants: AccessDeniedException"),
    ],
)
def test_a_changed_key_policy_is_noticed(scene: InProcessStack, sid: str, function: str, words: str) -> None:
    """A statement taken out fails the check of the function that needs it: no grants until it is back.

    The security team is told once, and the metric shows it at each check.
    """
    scene.limit()
    scene.check()
    waiting = scene.submit().body["id"]
    scene.call("alice", "POST", f"/security/requests/{waiting}/decision", {"verdict": "approve"})
    scene.put_policy_without(sid)
    scene.clock.advance(hours=1)
    found = scene.check()
    assert (results(found)[function], found["grantable"]) == ("failed", False)
    assert any(each.startswith(words) for each in missing(found, function))
    assert (function, "ChecksFailed", 1) in scene.brokers.metrics
    refused = scene.submit()
    assert (refused.status, refused.body["code"]) == (409, "conflict")
    forecast = scene.call("partner", "POST", "/requests", scene.submission(), query={"dry_run": "true"}).body
    assert (forecast["outcome"], forecast["reasons"]) == ("refuse", [refused.body["detail"]])
    taken_up = scene.call("partner", "POST", f"/requests/{waiting}/grant")
    assert (taken_up.status, "the request is approved" in taken_up.body["detail"]) == (409, True)
    scene.clock.advance(minutes=5)
    scene.check()
    scene.cloud.put_key_policy(scene.key_arn, scene.key_policy())
    scene.clock.advance(minutes=5)
    assert results(scene.check()) == PASSED
    assert events(scene, function) == ["check_failed", "check_passed"]
    assert scene.call("partner", "POST", f"/requests/{waiting}/grant").status == 201
    assert scene.submit().status == 201


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_a_statement_without_effect_fails(scene: InProcessStack, element: str) -> None:
    """KMS stores a statement without Action or Resource and refuses by it: so does the check."""
    scene.limit()
    assert results(scene.check()) == PASSED
    policy = deepcopy(scene.key_policy())
    ending = [each for each in policy["Statement"] if "kms:RevokeGrant" in each["Action"]]
    assert ending
    for each in ending:
        del each[element]
    scene.cloud.put_key_policy(scene.key_arn, policy)
    scene.security("POST", "/check")
    found = scene.check()
    assert results(found)["expiry"] == "failed"
    assert "kms:RevokeGrant is not allowed" in " ".join(missing(found, "expiry"))
    client = scene.cloud.session(scene.deployment.credentials("expiry")).client("kms")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        client.revoke_grant(KeyId=scene.key_arn, GrantId="0" * 64)


def test_checked_on_request(scene: InProcessStack) -> None:
    """A mended key need not wait: the security team has it checked within a minute."""
    scene.limit()
    scene.put_policy_without("Issue")
    assert not scene.check()["grantable"]
    scene.cloud.put_key_policy(scene.key_arn, scene.key_policy())
    scene.clock.advance(minutes=1)
    assert not scene.check()["grantable"]
    asked = scene.security("POST", "/check")
    assert (asked.status, asked.body["grantable"]) == (202, False)
    assert asked.body["checks"][0]["next_at"] == "2030-01-01T00:01:00Z"
    assert scene.check()["grantable"]


def test_who_may_ask(scene: InProcessStack) -> None:
    """An unregistered key answers 404, a closed one is checked no more, and only the team may ask."""
    assert scene.security("POST", "/check").status == 404
    scene.limit()
    scene.check()
    assert scene.call("partner", "POST", f"/security/keys/{scene.key_id}/check").status == 403
    scene.security("DELETE", "")
    assert scene.security("POST", "/check").status == 404
    assert {check["next_at"] for check in scene.check()["checks"]} == {None}
    scene.limit()
    assert scene.security("GET", "/check").body["checks"][0]["next_at"] == "2030-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("DisabledException", "the key is disabled"),
        ("KMSInvalidStateException", "the key's state allows no grants: it is pending deletion or import"),
        ("LimitExceededException", "the key holds as many grants as KMS allows"),
    ],
)
def test_what_kms_refuses_is_said_in_words(scene: InProcessStack, code: str, words: str) -> None:
    """The reason of a refused CreateGrant is told in words, or by KMS's code."""
    scene.limit()
    with scene.faults({"CreateGrant": refused(code)}):
        found = scene.check()
    assert missing(found, "requests") == [words]


def test_a_disabled_key_fails(scene: InProcessStack) -> None:
    """A disabled key fails for `requests` by KMS's own answer, not for `expiry`: grants still end."""
    scene.limit()
    scene.cloud.session(scene.cloud.root()).client("kms").disable_key(KeyId=scene.key_arn)
    found = scene.check()
    assert results(found) == {"requests": "failed", "expiry": "passed"}
    assert missing(found, "requests") == ["the key is disabled"]


@pytest.mark.parametrize(("operation", "function"), [("CreateGrant", "requests"), ("GetKeyPolicy", "expiry")])
def test_a_throttle_says_nothing_of_the_key(scene: InProcessStack, operation: str, function: str) -> None:
    """Where KMS does not answer, what was known stays, and the check is repeated in a minute."""
    scene.limit()
    scene.check()
    scene.clock.advance(hours=1)
    with scene.faults({operation: refused("ThrottlingException")}):
        checks = scene.check()["checks"]
    found = {check["function"]: check for check in checks}[function]
    assert (found["result"], found["at"]) == ("passed", "2030-01-01T00:00:00Z")
    assert found["next_at"] == "2030-01-01T01:01:00Z"


def test_a_dry_run_that_was_none(scene: InProcessStack) -> None:
    """An answer that is not a dry run's leaves the outcome open."""
    scene.limit()
    answer = b'{"GrantId": "g", "GrantToken": "t"}'
    with scene.faults({"CreateGrant": answered(answer)}):
        assert results(scene.check()) == {"requests": None, "expiry": "passed"}


def test_a_policy_that_cannot_be_decided_fails(scene: InProcessStack) -> None:
    """A key policy that no rule can read lets nothing through."""
    scene.limit()
    answer = b'{"Policy": "{}", "PolicyName": "default"}'
    with scene.faults({"GetKeyPolicy": answered(answer)}):
        assert "kms:ListGrants cannot be decided" in missing(scene.check(), "expiry")[0]


def test_a_key_of_another_account(scene: InProcessStack) -> None:
    """There KMS shows no policy: what a function can do is told by trying, and a refusal refuses nobody."""
    account = "444455556666"
    other = scene.cloud.create_key(scene.key_policy(), account=account)
    scene.allow("ApprovalsRole", ["kms:DescribeKey"], other)
    scene.key_arn = other
    assert scene.limit(key_arn=other).status == 201
    found = scene.check()
    assert results(found) == {"requests": None, "expiry": "failed"}
    scene.allow("ExpiryRole", ["kms:ListGrants", "kms:RevokeGrant"], other)
    scene.clock.advance(minutes=5)
    assert scene.check()["grantable"] is None
    scene.allow("RequestsRole", ["kms:CreateGrant"], other)
    scene.clock.advance(hours=1)
    # KMS objects to a grantee that does not exist, and whether to that alone no policy here says.
    assert scene.check()["grantable"] is None
    assert scene.submit().status == 201
    scene.clock.advance(hours=1)
    assert results(scene.check()) == PASSED


def test_the_last_word_on_what_the_stack_grants(
    scene: InProcessStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that offers more than the stack grants by now is checked for what is left."""
    scene.limit()
    broker = scene.brokers.broker("requests")
    narrowed = broker.settings.model_copy(update={"grantable_operations": ("Encrypt",)})
    handler = scene.brokers.handler("requests")
    monkeypatch.setattr(handler, "broker", lambda: replace(broker, settings=narrowed))
    with scene.faults({"CreateGrant": [None]}) as calls:
        assert results(scene.check()) == PASSED
    assert [call.parameters["Operations"] for call in calls] == [["Encrypt"]]


def test_a_check_asked_for_meanwhile_is_made_again(scene: InProcessStack) -> None:
    """A check that is asked for while it runs stays due; the run's finding does not hide the question."""
    scene.limit()
    with scene.meanwhile("CreateGrant", lambda: scene.security("POST", "/check")):
        assert results(scene.check()) == {"requests": None, "expiry": "passed"}
    assert results(scene.check()) == PASSED


def test_a_run_ends_in_time(scene: InProcessStack) -> None:
    """When KMS is slow a run leaves the rest for the next minute."""
    for number in range(2):
        key = scene.cloud.create_key(scene.key_policy())
        limits = {"name": f"key-{number}", "accounts": ["444455556666"]}
        scene.call("alice", "PUT", f"/security/keys/{key.rpartition('/')[2]}", limits)
    with scene.faults({"CreateGrant": before(lambda: scene.clock.advance(seconds=16))}):
        assert scene.run_checks("requests") == {"checked": 1}
    later = int(scene.clock.now.timestamp())
    assert (
        len(list(scene.brokers.broker("requests").store.agenda.list_checks_due(Function.REQUESTS, later)))
        == 1
    )


def test_checks_of_a_key_nobody_registered(scene: InProcessStack) -> None:
    """Of a key that the register lost nobody knows what would be granted."""
    assert check_key(scene.brokers.broker("requests"), scene.key_arn) == UNKNOWN
