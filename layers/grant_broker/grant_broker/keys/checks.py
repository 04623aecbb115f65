"""The checks of the broker's rights on each key: hourly, on request, and when a key is registered.

Each function makes its own, where its right is: nobody else can tell what its role may do.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

from grant_broker.broker import Broker
from grant_broker.domain.checks import Check, Function
from grant_broker.domain.errors import KmsUncertain, Stale
from grant_broker.domain.records import Change

_LOG = logging.getLogger(__name__)
_LONGEST = timedelta(seconds=15)  # the functions have 25 s; what is left is due in the next minute
_NOT_GRANTABLE = "the key's last check failed: the broker could not create or end grants on it"
Missing = Callable[[str], tuple[str, ...]]
"""Finds what a function lacks on a key, in words; KmsUncertain where KMS does not say."""


def ask(broker: Broker, key_arn: str) -> Iterator[Change]:
    """For `commit`: both checks of a key, due at once."""
    for function in Function:
        yield _known(broker, function, key_arn).asked(broker.clock())


def stop(broker: Broker, key_arn: str) -> Iterator[Change]:
    """For `commit`: no checks of a key that is closed."""
    for function in Function:
        yield _known(broker, function, key_arn).stopped()


def of_key(broker: Broker, key_arn: str) -> list[Check]:
    """Both checks of a key as they are."""
    return [_known(broker, function, key_arn) for function in Function]


def not_grantable(broker: Broker, key_arn: str) -> str | None:
    """Why no grant may be made on the key, None where one may: so also where it was never checked."""
    return _NOT_GRANTABLE if any(check.failed for check in of_key(broker, key_arn)) else None


def run(broker: Broker, function: Function, missing: Missing) -> int:
    """Make this function's checks that are due; how many. What is left when time is up stays due.

    A crash leaves a check due: it is only made again.
    """
    until, made, failed = broker.clock() + _LONGEST, 0, 0
    for due in broker.store.agenda.list_checks_due(function, int(broker.clock().timestamp())):
        if broker.clock() > until:
            break
        made += 1
        failed += _checked(broker, due, missing)
    broker.measure("ChecksFailed", failed)
    return made


def _checked(broker: Broker, due: Check, missing: Missing) -> bool:
    """Make one check; whether it failed."""
    # The index may be a moment behind.
    check = _known(broker, due.function, due.key_arn)
    try:
        change = check.done(missing(check.key_arn), now=broker.clock(), event_id=broker.new_id())
    except KmsUncertain as error:
        _LOG.warning("a check has no answer", extra={"key": check.key_arn, "code": error.code})
        change = check.unknown(broker.clock())
    try:
        broker.store.commit(change)
    except Stale:
        # Asked for, or made by another run, meanwhile: it is due again, or done.
        return False
    return change.record.failed


def _known(broker: Broker, function: Function, key_arn: str) -> Check:
    return broker.store.find_check(function, key_arn) or Check(function=function, key_arn=key_arn)
