"""The stream's fast path: end at once what became `ending`."""

import logging
from datetime import timedelta

from grant_broker.domain.errors import BrokerError, Unavailable
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.rate import claim_for_stream
from grant_broker.expiry.steps import act

_LOG = logging.getLogger(__name__)
_WAITS = timedelta(seconds=10)


def end_at_once(broker: ExpiryBroker, request_ids: list[str]) -> list[str]:
    """End what became `ending`, at the rate; the ids of those for which the database did not answer.

    What finds no room for 10 s, or fails at KMS, is left to the agenda, which has it anyway.
    """
    until, failed, left = broker.clock() + _WAITS, list[str](), request_ids
    while True:
        room = claim_for_stream(broker, len(left))
        failed += [request_id for request_id in left[:room] if not _end(broker, request_id)]
        left = left[room:]
        if not left or broker.clock() >= until:
            return failed
        broker.sleep(1.0 - broker.clock().timestamp() % 1.0)


def _end(broker: ExpiryBroker, request_id: str) -> bool:
    try:
        act(broker, request_id, early=True)
    except Unavailable:
        _LOG.exception("a record of the stream failed", extra={"request": request_id})
        return False
    except (ValueError, BrokerError):
        _LOG.exception("a record of the stream is unfit", extra={"request": request_id})
    return True
