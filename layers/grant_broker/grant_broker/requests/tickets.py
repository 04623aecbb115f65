"""Ask whether a request's ticket stands, where its key names somebody to ask."""

import logging

from grant_broker.domain.errors import Conflict, Fault, HookFailed, InvalidRequest, Unavailable
from grant_broker.domain.keys import Key
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.tickets import Moment, TicketAnswer, ticket_question
from grant_broker.requests.broker import RequestsBroker

_LOG = logging.getLogger(__name__)
_NEEDED = TicketAnswer(stands=False, reason="this key needs one: submit again with a ticket")


def ensure_ticket_stands_on_submission(broker: RequestsBroker, key: Key, request: GrantRequest) -> None:
    """InvalidRequest that names the ticket where it does not stand, or is missing; Unavailable."""
    answer = _ask(broker, key, request, "submission")
    if not answer.stands:
        raise InvalidRequest(Fault("ticket", _words(answer)))


def ensure_ticket_stands_still(broker: RequestsBroker, key: Key, request: GrantRequest) -> None:
    """Conflict where the ticket of an approved request does not stand any more; Unavailable.

    Asked again since days may lie between, and by the hook of the key's present limits.
    """
    answer = _ask(broker, key, request, "take_up")
    if not answer.stands:
        raise Conflict(f"the request is approved, but its ticket was refused: {_words(answer)}")


def _ask(broker: RequestsBroker, key: Key, request: GrantRequest, moment: Moment) -> TicketAnswer:
    hook = key.document.ticket_hook
    if hook is None:
        return TicketAnswer(stands=True)
    if request.ticket is None:
        return _NEEDED
    try:
        return broker.ticket_hooks.ask(hook, ticket_question(request, request.ticket, moment))
    except HookFailed as error:
        broker.measure("TicketHookFailures", 1)
        _LOG.error("a ticket could not be checked", extra={"request": request.id, "code": error.code})
        if broker.settings.ticket_hook_failure == "open":
            return TicketAnswer(stands=True)
        raise Unavailable("the ticket cannot be checked now: try again", retry_after=5) from error


def _words(answer: TicketAnswer) -> str:
    return answer.reason or "it does not stand"
