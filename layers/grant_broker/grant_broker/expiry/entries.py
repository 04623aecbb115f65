"""One entry of the agenda: act on it, and survive whatever its record is."""

import logging
from datetime import timedelta

from grant_broker.aws.agenda import AgendaEntry
from grant_broker.domain.errors import BrokerError, DatabaseRefused, Stale, Unavailable
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.steps import act

_LOG = logging.getLogger(__name__)
_UNFIT = timedelta(minutes=5)


def attempt(broker: ExpiryBroker, entry: AgendaEntry, listed: ListedGrant | None = None) -> bool:
    """Act on an entry; False where it failed. It stays on the agenda then.

    As it is where the database does not answer; else later, so that nothing that is stuck uses up the rate.

    `listed` is what ListGrants showed of its grant, which is ended by RevokeGrant then.
    """
    try:
        return _act(broker, entry, listed)
    except Unavailable:
        _LOG.exception("an entry of the agenda failed", extra={"entry": entry.key})
        return False


def _act(broker: ExpiryBroker, entry: AgendaEntry, listed: ListedGrant | None) -> bool:
    if entry.id is None:
        return _put_off(broker, entry, None)
    try:
        return act(broker, entry.id, listed=listed)
    except Unavailable:
        raise
    except (ValueError, BrokerError, DatabaseRefused) as error:
        # A record that nobody can read or act on, or that the database refuses: told, and tried again for
        # ever, but never so often that it stands in the way of the others.
        return _put_off(broker, entry, error)


def _put_off(broker: ExpiryBroker, entry: AgendaEntry, error: Exception | None) -> bool:
    try:
        broker.store.agenda.postpone(entry, int((broker.clock() + _UNFIT).timestamp()))
    except Stale:
        _LOG.info("the entry has left the agenda", extra={"entry": entry.key})
        return False
    _LOG.error("an entry of the agenda is unfit", exc_info=error, extra={"entry": entry.key})
    broker.measure("EndFailures", 1)
    return False
