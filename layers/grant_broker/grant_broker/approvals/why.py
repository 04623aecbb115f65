"""Why KMS allows or refuses a call on a request's key, for the security team: the whole key policy counts."""

from collections.abc import Iterator

from grant_broker.access_report.why import JudgedCall, explain
from grant_broker.access_report.why.explain import is_spreading
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.arns import role_behind
from grant_broker.domain.cause import Cause, Explanation
from grant_broker.domain.errors import KmsRefused
from grant_broker.domain.grant_name import parse_grant_name
from grant_broker.domain.listed_grant import ListedGrant, is_unique_id
from grant_broker.domain.question import Question
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.times import from_epoch
from grant_broker.keys.key_policy import find_key_policy
from grant_broker.keys.policy_weighing import Surroundings, weigh

_STATES = {
    "Disabled": "it is disabled",
    "PendingDeletion": "it is pending deletion",
    "PendingImport": "it has no key material",
    "PendingReplicaDeletion": "it is pending deletion",
    "Unavailable": "its key store does not answer",
}


def explain_call(broker: ApprovalsBroker, request_id: str, question: Question) -> Explanation:
    """Explain a call by a request, its grant at KMS, the key's policy and state, and the caller's grants.

    Of a call of the past only the request is known.
    """
    request = broker.store.get_request(request_id)
    call = JudgedCall.of(question, grantee=request.grantee, now=broker.clock())
    own = explain(request, call)
    if not call.of_now:
        return own
    if own.cause in {Cause.ALLOWED, Cause.NOT_BY_THIS_GRANT}:
        own = _explain_by_kms(broker, request, call) or own
    around = Surroundings(
        find_key_policy(broker.kms, request.key_arn),
        tuple(_grants_of(broker, request, call)),
        _find_key_fault(broker, request.key_arn),
    )
    if own.cause == Cause.ALLOWED:
        own = explain(request, call, key_fault=around.key_fault)
    return weigh(own, request, call, around)


def _explain_by_kms(broker: ApprovalsBroker, request: GrantRequest, call: JudgedCall) -> Explanation | None:
    """Explain by what became of the grant at KMS; None where it is there, or KMS does not say."""
    try:
        grant = broker.kms.find_grant(key_arn=request.key_arn, grant_id=str(request.grant_id))
    except KmsRefused:
        return None
    if is_spreading(request, call.at):
        # A young grant may not be listed yet, and a young grantee may be shown by its id.
        return None
    if grant is None:
        because = "KMS does not list the grant any more: somebody ended it past the broker."
        return Explanation(Cause.ENDED, because, "Submit a new request.")
    if is_unique_id(grant.grantee):
        because = (
            f"{request.grantee} was deleted since: whoever bears that name now is another principal to KMS."
        )
        return Explanation(Cause.ANOTHER_PRINCIPAL, because, "Submit a new request.")
    return None


def _find_key_fault(broker: ApprovalsBroker, key_arn: str) -> str | None:
    try:
        return _STATES.get(broker.kms.describe_key(key_arn)["KeyState"])
    except KmsRefused:
        return None


def _grants_of(broker: ApprovalsBroker, request: GrantRequest, call: JudgedCall) -> Iterator[ListedGrant]:
    """List the caller's grants on the key that live when the call is made: its own, and its role's."""
    names = {call.principal, role_behind(call.principal)}
    if call.is_by(request.grantee):
        # It has the role's path, which a session's ARN leaves out.
        names.add(request.grantee)
    for name in sorted(names):
        try:
            for grant in broker.kms.list_grants_of(key_arn=request.key_arn, grantee=name):
                if not _ends_before(grant, call):
                    yield grant
        except KmsRefused:
            continue


def _ends_before(grant: ListedGrant, call: JudgedCall) -> bool:
    """Whether a grant's Name says that it is over by a call that is still to come."""
    named = parse_grant_name(grant.name)
    return named is not None and from_epoch(named[1]) <= call.at
