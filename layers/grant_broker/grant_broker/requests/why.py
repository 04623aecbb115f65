"""Why KMS allows or refuses a call under a request's grant, for those whose request it is."""

from grant_broker.access_report.why import JudgedCall, explain
from grant_broker.access_report.why.codes import KEY_FAULTS
from grant_broker.domain.cause import Cause, Explanation
from grant_broker.domain.errors import KmsUncertain
from grant_broker.domain.people import Caller
from grant_broker.domain.question import Question
from grant_broker.domain.request import GrantRequest
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.quotas import count_call
from grant_broker.requests.withdraw import get_own_request


def explain_call(broker: RequestsBroker, caller: Caller, request_id: str, question: Question) -> Explanation:
    """Explain a call by one request, to its requester's person and its grantee.

    The answer rests on the request and on whether its key can be used, on nothing else that the broker
    knows. It counts as a call of the account: TooManyRequests above the minute's limit. NotFound for
    another account's request, NotPermitted for who is no party to it.
    """
    count_call(broker, caller.account)
    request = get_own_request(broker, caller, request_id)
    call = JudgedCall.of(question, grantee=request.grantee, now=broker.clock())
    found = explain(request, call)
    if found.cause != Cause.ALLOWED or not call.of_now:
        return found
    return explain(request, call, key_fault=_find_key_fault(broker, request))


def _find_key_fault(broker: RequestsBroker, request: GrantRequest) -> str | None:
    """Find why KMS lets nobody use the key; None where it can be used, or that is not known.

    This function may not describe keys. KMS tells it when it is asked for the grant again, as a dry run.
    """
    try:
        code = broker.try_grant(request.key_arn, request.grantee, request.scope)
    except KmsUncertain:
        return None
    return KEY_FAULTS.get(code) if code else None
