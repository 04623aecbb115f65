"""One entry of the agenda: act on it, and survive whatever its record is."""

import logging
from datetime import timedelta

from grant_broker.aws.agenda import AgendaEntry
from grant_broker.domain.errors import BrokerError, DatabaseRefused, Stale
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.steps import act

_LOG = logging.getLogger(__name__)
_UNFIT = timedelta(minutes=5)


def attempt(broker: ExpiryBroker, entry: AgendaEntry, listed: ListedGrant | None = None) -> bool:
    """Act on an entry; False where it failed. It stays on the agenda then, if need be as it is.

    `listed` is what ListGrants showed of its grant, which is ended by RevokeGrant then.
    """
    try:
        return _put_off(broker, entry) if entry.id is None else _act(broker, entry, entry.id, listed)
    except BrokerError:
        # The database did not answer: the entry stays on the agenda as it is.
        _LOG.exception("an entry of the agenda failed", extra={"entry": entry.key})
        return False


def _act(broker: ExpiryBroker, entry: AgendaEntry, request_id: str, listed: ListedGrant | None) -> bool:
    try:
        return act(broker, request_id, listed=listed)
    except (ValueError, DatabaseRefused):
        # A record that nobody can read, or that the database refuses: told, and tried again for ever, but
        # never so often that it stands in the way of the others.
        _LOG.exception("a record on the agenda is unfit", extra={"request": request_id})
        return _put_off(broker, entry)


def _put_off(broker: ExpiryBroker, entry: AgendaEntry) -> bool:
    broker.measure("EndFailures", 1)
    try:
        broker.store.agenda.postpone(entry, int((broker.clock() + _UNFIT).timestamp()))
    except Stale:
        _LOG.info("the entry has left the agenda", extra={"entry": entry.key})
    return False
