"""The stream's fast path: end at once what became `ending`."""

import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from grant_broker.domain.errors import BrokerError, Unavailable
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.lane import lane_of
from grant_broker.expiry.rate import claim_for_stream
from grant_broker.expiry.steps import act

_LOG = logging.getLogger(__name__)
_WAITS = timedelta(seconds=10)


def end_at_once(broker: ExpiryBroker, key_arns: Mapping[str, str | None]) -> list[str]:
    """End what became `ending`, at the rate; the ids of those for which the database did not answer.

    `key_arns` has each request's id and the key that its record says. What finds no room for 10 s, or fails
    at KMS, is left to the agenda, which has it anyway. Where KMS fails in one Region, what else is of that
    Region waits for all others: each failure may take seconds.
    """
    until, failed = broker.clock() + _WAITS, list[str]()
    left = defaultdict[str, list[str]](list)
    for request_id, key_arn in key_arns.items():
        left[lane_of(broker, key_arn)].append(request_id)
    while True:
        behind = list[str]()
        for lane, request_ids in left.items():
            room = claim_for_stream(broker, lane, len(request_ids))
            begun = iter(request_ids[:room])
            if any(not _end(broker, request_id, failed) for request_id in begun):
                behind += begun
            left[lane] = request_ids[room:]
        for request_id in behind:
            _end(broker, request_id, failed)
        if not any(left.values()) or broker.clock() >= until:
            return failed
        broker.sleep(1.0 - broker.clock().timestamp() % 1.0)


def _end(broker: ExpiryBroker, request_id: str, failed: list[str]) -> bool:
    """End one, or note it as failed where the database does not answer; False where KMS failed."""
    try:
        return act(broker, request_id, early=True)
    except Unavailable:
        _LOG.exception("a record of the stream failed", extra={"request": request_id})
        failed.append(request_id)
    except (ValueError, BrokerError):
        _LOG.exception("a record of the stream is unfit", extra={"request": request_id})
    return True
