"""Explain a call by one request and its grant: the first cause that applies, in KMS's own order."""

from collections.abc import Callable
from datetime import datetime, timedelta

from grant_broker.access_report.why import codes
from grant_broker.access_report.why.contexts import SIGNATURE, differences, fits, shown
from grant_broker.access_report.why.judged_call import JudgedCall
from grant_broker.domain.arns import find_session_name
from grant_broker.domain.cause import Cause, Explanation
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.scope import OPERATIONS, ContextMatch
from grant_broker.domain.times import format_time
from grant_broker.policy_engine.constraints import KeyCase

LARGEST_PLAINTEXT = 4_096
"""Bytes that Encrypt takes."""
SPREADING = timedelta(minutes=5)
"""A grant reaches every endpoint of KMS within this; until then calls need its token."""
WITHOUT_CONTEXT = frozenset({"DescribeKey"})
"""They have no encryption context: KMS ignores the constraint for them, and the key's state as well."""
_ASK = "Submit a new request"
_Step = Callable[[GrantRequest, JudgedCall], Explanation | None]


def explain(request: GrantRequest, call: JudgedCall, *, key_fault: str | None = None) -> Explanation:
    """Explain a call by the request alone; `key_fault` is why KMS lets nobody use the key now, if known.

    What AWS said goes first: its code, then a policy that it names. Then KMS's order: the call's
    form, the grant, the key's state. A refusal that is left over after all of that is somebody else's.
    """
    steps: tuple[_Step, ...] = (
        _by_code,
        _by_size,
        _by_named_policy,
        _by_life,
        _by_key,
        _by_principal,
        _by_operation,
        _by_context,
    )
    found = next((each for step in steps if (each := step(request, call))), None)
    if found is not None:
        return found
    if call.refusal is not None:
        return _left_over(request, call)
    if key_fault is not None and call.action not in WITHOUT_CONTEXT:
        return codes.key_unusable(key_fault)
    return _allowed(request, call)


def is_spreading(request: GrantRequest, at: datetime) -> bool:
    """Whether KMS may not know the grant everywhere yet."""
    return request.issued_at is not None and at < request.issued_at + SPREADING


def _by_code(request: GrantRequest, call: JudgedCall) -> Explanation | None:
    refusal = call.refusal
    if refusal is None or refusal.denied:
        return None
    if refusal.code == "ValidationException" and f"{LARGEST_PLAINTEXT}" in refusal.text:
        return _too_large(request, call.size)
    return codes.explain_code(refusal.code, request.key_arn)


def _by_size(request: GrantRequest, call: JudgedCall) -> Explanation | None:
    # KMS looks at a call's form before it asks who may make it, so a denied one was not too large.
    if call.refusal or call.action != "Encrypt" or (call.size or 0) <= LARGEST_PLAINTEXT:
        return None
    return _too_large(request, call.size)


def _too_large(request: GrantRequest, size: int | None) -> Explanation:
    sent = f", and this is {size:,}" if size and size > LARGEST_PLAINTEXT else ""
    because = f"Encrypt takes at most {LARGEST_PLAINTEXT:,} bytes{sent}."
    way = "encrypt with a data key of GenerateDataKey, as the AWS Encryption SDK does"
    granted = "GenerateDataKey" in request.scope.operations
    return Explanation(
        Cause.TOO_LARGE,
        because,
        f"{_first_upper(way)}." if granted else f"{_ASK} for GenerateDataKey, and {way}.",
    )


def _by_named_policy(_request: GrantRequest, call: JudgedCall) -> Explanation | None:
    if call.refusal is None or call.refusal.side is None:
        return None
    because = f"Not by this grant: {call.refusal.side} refuses it, whatever a grant allows."
    return Explanation(
        Cause.NOT_BY_THIS_GRANT, because, "Ask whoever maintains that policy for an exception."
    )


def _by_life(request: GrantRequest, call: JudgedCall) -> Explanation | None:
    if request.issued_at is None or request.grant_id is None:
        return _never_granted(request)
    if call.at < request.issued_at:
        made = format_time(request.issued_at)
        because = f"At {format_time(call.at)} there was no grant yet: it was made at {made}."
        return Explanation(Cause.NO_GRANT, because, "Call again now.")
    ends = [time for time in (request.expires_at, request.ended_at) if time is not None]
    if ends and call.at >= min(ends):
        why = f" ({request.end_reason})" if request.end_reason else ""
        because = f"The grant ended at {format_time(min(ends))}{why}."
        return Explanation(Cause.ENDED, because, f"{_ASK}.")
    if request.status == Status.ENDING:
        return Explanation(Cause.ENDED, f"The grant is being ended: {request.end_reason}.", f"{_ASK}.")
    return None


def _never_granted(request: GrantRequest) -> Explanation:
    because, then = {
        Status.PENDING: (
            "There is no grant yet: the request waits for the security team.",
            f"Wait for the decision, until {_time(request.answer_by)} at the latest.",
        ),
        Status.APPROVED: (
            "There is no grant yet: the request is approved and not taken up.",
            f"Take it up with POST /requests/{request.id}/grant, by {_time(request.take_up_by)}.",
        ),
        Status.ISSUING: (
            "Whether KMS has the grant is not known yet.",
            "Read the request again in a minute.",
        ),
    }.get(request.status, (f"There never was a grant: the request is {request.status}.", f"{_ASK}."))
    return Explanation(Cause.NO_GRANT, because, then)


def _by_key(request: GrantRequest, call: JudgedCall) -> Explanation | None:
    used = call.refusal.key_arn if call.refusal else None
    if used is None or used == request.key_arn or ":key/" not in used:
        return None
    because = f"The call used the key {used}, and the grant is on {request.key_arn}."
    return Explanation(
        Cause.ANOTHER_KEY, because, "Name the grant's key by its ARN: an alias may lead elsewhere."
    )


def _by_principal(request: GrantRequest, call: JudgedCall) -> Explanation | None:
    if call.is_by(request.grantee):
        return None
    whom = "this one session" if find_session_name(request.grantee) else "another principal"
    because = f"The call came from {call.principal}, and the grant is for {whom}: {request.grantee}."
    return Explanation(Cause.ANOTHER_PRINCIPAL, because, f"Call with the credentials of {request.grantee}.")


def _by_operation(request: GrantRequest, call: JudgedCall) -> Explanation | None:
    if call.action in request.scope.operations:
        return None
    because = f"{call.action} is not granted: the grant allows {', '.join(request.scope.operations)}."
    if call.action == "ReEncrypt":
        return Explanation(
            Cause.OPERATION_NOT_GRANTED,
            because,
            "Ask about ReEncryptFrom on the old key, and about ReEncryptTo on the new one.",
        )
    then = (
        f"{_ASK} that names it."
        if call.action in OPERATIONS
        else "Do without it: the broker never grants it."
    )
    return Explanation(Cause.OPERATION_NOT_GRANTED, because, then)


def _by_context(request: GrantRequest, call: JudgedCall) -> Explanation | None:
    scope = request.scope
    if call.action in WITHOUT_CONTEXT:
        return None
    if not call.context_told:
        because = "Which encryption context the call sent is not told, and the grant needs one."
        then = f"{_mend_context(request, call)[:-1]}; or tell what was sent (`context`), and ask again."
        return Explanation(Cause.CONTEXT_NOT_TOLD, because, then)
    # AWS's pages contradict each other on the case of keys: it counts as a cause only where KMS did refuse.
    case = KeyCase.EXACT if call.refusal else KeyCase.IGNORED
    if fits(scope, call.context, case):
        return None
    because = f"The encryption context differs from the grant's: {differences(scope, call.context)}."
    return Explanation(Cause.CONTEXT_DIFFERS, because, _mend_context(request, call))


def _mend_context(request: GrantRequest, call: JudgedCall) -> str:
    wanted = ", ".join(
        f"{shown(key)}: {shown(value)}" for key, value in request.scope.encryption_context.items()
    )
    if request.scope.context_match == ContextMatch.SUBSET:
        return f"Send at least {{{wanted}}}."
    if SIGNATURE in call.context and SIGNATURE not in request.scope.encryption_context:
        return (
            "Use an algorithm suite of the Encryption SDK that does not sign, or submit a request with "
            "context_match `subset`."
        )
    return f"Send exactly {{{wanted}}}."


def _left_over(request: GrantRequest, call: JudgedCall) -> Explanation:
    """Explain a denial of what the grant allows."""
    if is_spreading(request, call.at):
        until = _time(request.issued_at and request.issued_at + SPREADING)
        because = f"KMS had not spread the grant yet: it was made at {_time(request.issued_at)}."
        return Explanation(
            Cause.NOT_SPREAD_YET,
            because,
            f"Pass the grant's token with the call, or call again after {until}.",
        )
    because = (
        "Not by this grant, which allows the call: your organisation's policy refuses it, or the key's, or "
        f"{request.grantee} was deleted and made again since {_time(request.issued_at)}."
    )
    then = (
        "Ask your AWS administrators which service or resource control policy, permissions boundary, session "
        "policy or endpoint policy denies it, and the security team about the key's own policy."
    )
    return Explanation(Cause.NOT_BY_THIS_GRANT, because, then)


def _allowed(request: GrantRequest, call: JudgedCall) -> Explanation:
    because = f"The grant allows {call.action} to {call.principal} until {_time(request.expires_at)}."
    if call.action not in WITHOUT_CONTEXT and not fits(request.scope, call.context, KeyCase.EXACT):
        return Explanation(
            Cause.ALLOWED,
            because,
            f"Write the keys as the grant has them: {differences(request.scope, call.context)}.",
        )
    if is_spreading(request, call.at):
        return Explanation(
            Cause.ALLOWED, because, "Pass the grant's token with the call: KMS is still spreading it."
        )
    return Explanation(Cause.ALLOWED, because, "Call KMS; if it refuses, send its error as `error`.")


def _time(time: datetime | None) -> str:
    return format_time(time) if time else "unknown"


def _first_upper(words: str) -> str:
    return words[:1].upper() + words[1:]
