"""Find out, with two calls to KMS at most, what an approver should know of a submission."""

from concurrent.futures import Future

from grant_broker.domain.checks import Check, KeyChecks
from grant_broker.domain.errors import KmsRefused, KmsUncertain
from grant_broker.domain.preflight import Finding, Known, Preflight
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.times import format_time
from grant_broker.keys.existing_access import has_access
from grant_broker.requests.broker import RequestsBroker

_KEY_STATES = frozenset({"DisabledException", "KMSInvalidStateException", "NotFoundException"})
_WORDS = {
    "InvalidArnException": "there is no role, user or session of this ARN: create it first, or mend its path",
    "DisabledException": "it is disabled",
    "KMSInvalidStateException": "its state allows no grants: it is pending deletion or import",
    "NotFoundException": "KMS does not know it",
    "AccessDeniedException": "the key's policy or the stack's own fences do not allow it",
    "LimitExceededException": "the key holds as many grants as KMS allows",
}
_NO_ANSWER = "KMS did not answer"
_TRIED = "KMS would create this grant now"


def examine(
    broker: RequestsBroker,
    request: GrantRequest,
    checks: KeyChecks,
    policy: Future[str],
    *,
    try_grant: bool = True,
) -> Preflight:
    """What is known of a request now. A KMS call that fails leaves its answers unknown, and nothing else.

    Without `try_grant` KMS is not asked for a dry run, because it is asked for the grant itself at once.
    """
    access = _has_access(policy, request)
    if not try_grant:
        tried = _every(_unknown("KMS is asked for the grant itself"))
    elif access.reason == _NO_ANSWER:
        # Whoever waits for the answer should not wait for a second time-out.
        tried = _every(access)
    else:
        tried = _try_grant(broker, request)
    return Preflight(
        at=broker.clock(),
        has_access=access,
        grantee_accepted=tried["grantee"],
        key_usable=tried["key"],
        can_create=_by_check(checks.create) if tried["broker"].answer == Known.UNKNOWN else tried["broker"],
        can_end=_by_check(checks.end),
    )


def refused_for_certain(found: Preflight) -> bool:
    """Whether KMS would refuse the grant."""
    return any(map(_is_no, (found.grantee_accepted, found.key_usable, found.can_create)))


def _has_access(policy: Future[str], request: GrantRequest) -> Finding:
    try:
        return has_access(
            policy.result(), grantee=request.grantee, scope=request.scope, key_arn=request.key_arn
        )
    except KmsUncertain:
        return _unknown(_NO_ANSWER)
    except KmsRefused as error:
        return _unknown(f"KMS does not show the key policy: {error.code}")
    except ValueError as error:
        return _unknown(f"the key policy cannot be read: {error}")


def _try_grant(broker: RequestsBroker, request: GrantRequest) -> dict[str, Finding]:
    try:
        code = broker.try_grant(request.key_arn, request.grantee, request.scope)
    except KmsUncertain:
        return _every(_unknown(_NO_ANSWER))
    if code is None:
        return _every(Finding(answer=Known.YES, reason=_TRIED))
    no = Finding(answer=Known.NO, reason=_WORDS.get(code, code))
    about = "grantee" if code == "InvalidArnException" else "broker"
    about = "key" if code in _KEY_STATES else about
    return {**_every(_unknown(f"KMS says {code}")), about: no}


def _by_check(check: Check) -> Finding:
    # One that failed has refused the submission before.
    if check.checked_at is None:
        return _unknown("not checked yet")
    return Finding(answer=Known.YES, reason=f"the check of {format_time(check.checked_at)} passed")


def _every(answer: Finding) -> dict[str, Finding]:
    return dict.fromkeys(("grantee", "key", "broker"), answer)


def _unknown(reason: str) -> Finding:
    return Finding(answer=Known.UNKNOWN, reason=reason)


def _is_no(answer: Finding) -> bool:
    return answer.answer == Known.NO
