"""The checks of the broker's rights on each key: hourly, on request, and when a key is registered.

Each function makes its own, where its right is: nobody else can tell what its role may do.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from grant_broker.aws.request_store import RequestStore
from grant_broker.aws.store import Store
from grant_broker.broker import Broker
from grant_broker.domain.checks import BY, Check, CheckOutcome, Function, KeyChecks
from grant_broker.domain.errors import KmsUncertain, Stale
from grant_broker.domain.records import Change

_LOG = logging.getLogger(__name__)
_LONGEST = timedelta(seconds=15)  # the functions have 25 s; what is left is due in the next minute
CheckKey = Callable[[str], CheckOutcome]
"""Finds what a function lacks on a key; KmsUncertain where KMS does not answer."""


def find_checks(store: Store, key_arn: str) -> KeyChecks:
    """Find the last checks of both functions on a key."""
    return KeyChecks(*(_find(store, function, key_arn) for function in (Function.REQUESTS, Function.EXPIRY)))


def request_now(store: Store, key_arn: str, now: datetime) -> Iterator[Change]:
    """For `commit`: both checks of a key, due at once."""
    for function in Function:
        yield _find(store, function, key_arn).requested(now)


def stop(store: Store, key_arn: str) -> Iterator[Change]:
    """For `commit`: no checks of a key that is closed."""
    for function in Function:
        yield _find(store, function, key_arn).stopped()


def run(broker: Broker, function: Function, check_key: CheckKey) -> int:
    """Make this function's checks that are due; how many. What is left when time is up stays due.

    A crash leaves a check due: it is only made again.
    """
    until, made, failed = broker.clock() + _LONGEST, 0, 0
    for key_arn in broker.store.agenda.list_checks_due(function, int(broker.clock().timestamp())):
        if broker.clock() > until:
            break
        made += 1
        # The index may be a moment behind.
        failed += _make(broker, _find(broker.store, function, key_arn), check_key)
    broker.measure("ChecksFailed", failed)
    return made


def _make(broker: Broker, check: Check, check_key: CheckKey) -> bool:
    """Make one check; True where it failed."""
    try:
        change = check.done(check_key(check.key_arn), broker.stamp(BY))
    except KmsUncertain as error:
        _LOG.warning("a check has no answer", extra={"key": check.key_arn, "code": error.code})
        change = check.unanswered(broker.clock())
    try:
        broker.store.commit(change)
    except Stale:
        # Asked for, or made by another run, meanwhile: it is due again, or done.
        return False
    return change.record.failed


def _find(store: RequestStore, function: Function, key_arn: str) -> Check:
    return store.find_check(function, key_arn) or Check(function=function, key_arn=key_arn)
