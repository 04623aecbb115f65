"""One sentence and one next step for each way in which a call can fail under a grant."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from grant_broker.access_report.why import JudgedCall, explain, read_refusal
from grant_broker.domain.cause import Cause, Explanation
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.question import Question
from grant_broker.domain.request import GrantRequest
from tests.support.records import CREATED, GRANTEE, KEY, NOW, SCOPE, before_intent, request

SESSION = "arn:aws:sts::444455556666:assumed-role/partner/job"
SUBSET = SCOPE.model_copy(update={"context_match": "subset"})
BOTO = "An error occurred ({code}) when calling the Encrypt operation: {message}"
DENIED = (
    f"User: {SESSION} is not authorized to perform: kms:Encrypt on resource: {KEY} because no "
    "resource-based policy allows the kms:Encrypt action"
)


def why(of: GrantRequest | None = None, **question: Any) -> Explanation:
    """What is said of a call; by default the one that the grant allows."""
    asked = Question.model_validate({"action": "Encrypt", "context": {"tenant": "a"}} | question)
    of = of or request()
    return explain(of, JudgedCall.of(asked, grantee=of.grantee, now=NOW))


def said(code: str, message: str = "") -> str:
    """An error as botocore shows it."""
    return BOTO.format(code=code, message=message)


REFUSED = said("AccessDeniedException", DENIED)


@pytest.mark.parametrize(
    ("question", "cause", "because", "then"),
    [
        ({}, "allowed", "until 2026-03-01T13:30:00Z", "send its error"),
        ({"principal": SESSION}, "allowed", SESSION, ""),
        ({"context": {"Tenant": "a"}}, "allowed", "", 'the key is "tenant" and not "Tenant": case counts'),
        ({"at": "2026-03-01T11:31:00Z"}, "allowed", "", "Pass the grant's token"),
        ({"context": {"Tenant": "a"}, "error": REFUSED}, "context_differs", '"tenant" and not "Tenant"', ""),
        ({"context": {}}, "context_differs", '"tenant" is missing', 'Send exactly {"tenant": "a"}.'),
        ({"context": None}, "context_not_told", "is not told", 'Send exactly {"tenant": "a"}; or tell'),
        ({"context": None, "error": REFUSED}, "context_not_told", "the grant needs one", "ask again"),
        ({"context": None, "principal": f"{GRANTEE}2"}, "another_principal", "", ""),
        ({"context": {"tenant": "A"}}, "context_differs", '"tenant" is "a" and not "A": case counts', ""),
        ({"context": {"tenant": "b"}}, "context_differs", '"tenant" is "a" and not "b".', ""),
        (
            {"context": {"tenant": "a", **{str(number): "x" for number in range(6)}}},
            "context_differs",
            '"3" is too much and 2 more',
            "",
        ),
        (
            {"context": {"tenant": "a", "aws-crypto-public-key": "x"}},
            "context_differs",
            '"aws-crypto-public-key" is too much',
            "suite of the Encryption SDK that does not sign",
        ),
        (
            {"action": "kms:Decrypt"},
            "operation_not_granted",
            "Decrypt is not granted",
            "new request that names it",
        ),
        ({"action": "CreateGrant"}, "operation_not_granted", "allows Encrypt", "the broker never grants it"),
        ({"action": "ReEncrypt"}, "operation_not_granted", "", "ReEncryptTo on the new one"),
        ({"principal": f"{GRANTEE}2"}, "another_principal", "another principal", f"credentials of {GRANTEE}"),
        ({"principal": "arn:aws:iam::444455556666:root"}, "another_principal", ":root", ""),
        ({"size": 4096}, "allowed", "", ""),
        ({"size": 4097}, "too_large", "this is 4,097", "new request for GenerateDataKey"),
        ({"at": "2026-03-01T11:00:00Z"}, "no_grant", "it was made at 2026-03-01T11:30:00Z", "Call again"),
        ({"at": "2026-03-01T13:30:00Z"}, "ended", "ended at 2026-03-01T13:30:00Z", "new request"),
        (
            {"error": REFUSED},
            "not_by_this_grant",
            "your organisation's policy",
            "service or resource control",
        ),
        (
            {"error": REFUSED, "at": "2026-03-01T11:34:59Z"},
            "not_spread_yet",
            "",
            "after 2026-03-01T11:35:00Z",
        ),
        (
            {"error": f"{REFUSED} with an explicit deny in a service control policy"},
            "not_by_this_grant",
            "a service control policy refuses it",
            "exception",
        ),
        (
            {"error": "AccessDenied: because no VPC endpoint policy allows the kms:Encrypt action"},
            "not_by_this_grant",
            "a VPC endpoint policy refuses it",
            "",
        ),
        ({"error": REFUSED.replace(KEY, f"{KEY}1")}, "another_key", f"{KEY}1", "by its ARN"),
        (
            {"error": REFUSED.replace("kms:Encrypt on", "kms:Decrypt on")},
            "operation_not_granted",
            "Decrypt",
            "",
        ),
        ({"error": REFUSED.replace("/job", "2/job")}, "another_principal", "assumed-role/partner2/job", ""),
        ({"error": said("DisabledException", "x is disabled.")}, "key_unusable", "it is disabled", ""),
        ({"error": said("NotFoundException")}, "key_unusable", "no such key", KEY),
        (
            {"error": said("ValidationException", "length less than or equal to 4096")},
            "too_large",
            "at most 4,096 bytes.",
            "",
        ),
        ({"error": said("ValidationException", "nonsense")}, "not_about_access", "parameter", "names"),
        ({"error": said("BrandNewException")}, "not_about_access", "BrandNewException", "Read its message"),
        ({"error": said("InvalidGrantTokenException")}, "not_about_access", "none of KMS's", "five minutes"),
    ],
)
def test_cause(question: dict[str, Any], cause: str, because: str, then: str) -> None:
    """Each cause is named, with what is wrong and what to do."""
    found = why(**question)
    assert found.cause == cause, found
    assert because in found.because
    assert then in found.next


@pytest.mark.parametrize(
    ("of", "because", "then"),
    [
        (before_intent(Status.PENDING), "waits for the security team", "until 2026-03-02T12:00:00Z"),
        (before_intent(Status.APPROVED), "not taken up", f"POST /requests/{request().id}/grant, by unknown"),
        (before_intent(Status.DENIED), "the request is denied", "new request"),
        (request(status="issuing", issued_at=None, grant_id=None), "not known yet", "in a minute"),
    ],
)
def test_no_grant(of: GrantRequest, because: str, then: str) -> None:
    """Before there is a grant the answer says what is missing."""
    found = why(of)
    assert found.cause == Cause.NO_GRANT
    assert because in found.because
    assert then in found.next


def test_ended() -> None:
    """After its end, and while it ends, the answer says when and why."""
    ended = request(status="revoked", ended_at=NOW - timedelta(minutes=1), end_reason="incident 7")
    assert why(ended).because == "The grant ended at 2026-03-01T11:59:00Z (incident 7)."
    ending = request(status="ending", end_reason="incident 7")
    assert (why(ending).cause, why(ending).because) == (Cause.ENDED, "The grant is being ended: incident 7.")


def test_one_session() -> None:
    """A grant to one session is for no other one of its role."""
    found = why(request(grantee=SESSION), principal=SESSION.replace("job", "other"))
    assert found.cause == Cause.ANOTHER_PRINCIPAL
    assert "this one session" in found.because


def test_subset() -> None:
    """Under a subset constraint more pairs are fine, and fewer are told as what must be there."""
    assert why(request(scope=SUBSET), context={"tenant": "a", "more": "x"}).cause == Cause.ALLOWED
    found = why(request(scope=SUBSET), context={"more": "x"})
    assert (found.cause, found.next) == (Cause.CONTEXT_DIFFERS, 'Send at least {"tenant": "a"}.')


def test_large_with_data_keys() -> None:
    """Who holds GenerateDataKey is told to use it."""
    scope = SCOPE.model_copy(update={"operations": ("Encrypt", "GenerateDataKey")})
    assert why(request(scope=scope), size=5_000).next.startswith("Encrypt with a data key")


def test_describe_key() -> None:
    """DescribeKey has no encryption context, and answers whatever the key's state."""
    of = request(scope=SCOPE.model_copy(update={"operations": ("DescribeKey",)}))
    asked = Question(action="DescribeKey", context={})
    call = JudgedCall.of(asked, grantee=of.grantee, now=NOW)
    assert explain(of, call, key_fault="it is disabled").cause == Cause.ALLOWED


def test_key_fault() -> None:
    """A key that nobody can use is the cause of what the grant allows, and of nothing else."""
    of = request()
    asked = Question(action="Encrypt", context={"tenant": "a"})
    call = JudgedCall.of(asked, grantee=of.grantee, now=NOW)
    assert (
        explain(of, call, key_fault="it is disabled").because == "Nobody can use the key now: it is disabled."
    )


@pytest.mark.parametrize(
    ("text", "code", "action"),
    [
        (said("AccessDeniedException", DENIED), "AccessDeniedException", "Encrypt"),
        (f"AccessDeniedException: {DENIED}", "AccessDeniedException", "Encrypt"),
        ('{"__type":"DisabledException","message":"x"}', "DisabledException", None),
        (said("ThrottlingException"), "ThrottlingException", "Encrypt"),
        ("it says no", "AccessDeniedException", None),
    ],
)
def test_errors_as_they_are_shown(text: str, code: str, action: str | None) -> None:
    """The code is found in the forms of botocore, the other SDKs and JSON."""
    found = read_refusal(text)
    assert (found.code, found.action) == (code, action)


def test_resource_is_optional() -> None:
    """An error that names no resource still names the caller."""
    found = read_refusal(f"User: {SESSION} is not authorized to perform: kms:GenerateRandom")
    assert (found.principal, found.action, found.key_arn) == (SESSION, "GenerateRandom", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "kms:*"},
        {"principal": "somebody"},
        {"size": -1},
        {"size": "5"},
        {"error": ""},
        {"error": "x\u202e"},
        {"context": {str(number): "x" for number in range(33)}},
        {"more": 1},
    ],
)
def test_a_question_is_read_strictly(changes: dict[str, Any]) -> None:
    """What is no question is refused."""
    with pytest.raises(ValidationError):
        Question.model_validate({"action": "Encrypt", "context": {}} | changes)


def test_of_now() -> None:
    """What KMS shows now speaks of calls of the last five minutes alone."""

    def of_now(**more: Any) -> bool:
        asked = Question.model_validate({"action": "Encrypt", "context": {}} | more)
        return JudgedCall.of(asked, grantee=GRANTEE, now=NOW).of_now

    assert of_now()
    assert of_now(at="2026-03-01T11:55:01Z")
    assert not of_now(at="2026-03-01T11:55:00Z")
    assert CREATED < NOW
