"""Search the audit trail: of everything in order of time, or of one request."""

import operator
from typing import Any

from grant_broker.aws.pages import Page
from grant_broker.aws.revocations import Revocations
from grant_broker.aws.store import Store
from grant_broker.domain.approvals import Approval
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.searches import EventSearch
from grant_broker.domain.trail import Event

About = tuple[str | None, str | None]


def search_events(store: Store, search: EventSearch, *, limit: int, after: str | None) -> Page[Event]:
    """Find a page of events, from an index: one of the last seconds may be missing."""
    subjects = _Subjects(store, search)
    return store.lists.list_events(search, is_about=subjects.is_wanted, limit=limit, after=after)


def search_trail(
    store: Store, request_id: str, search: EventSearch, *, limit: int, after: str | None
) -> Page[Event]:
    """Find a page of one request's events, read consistently."""
    subjects = _Subjects(store, search)
    found = [
        event
        for event in store.get_trail(f"request#{request_id}")
        if search.accepts(event_type=event.type, by=event.by)
        and (search.since is None or event.at >= search.since)
        and (search.until is None or event.at < search.until)
        and subjects.is_wanted(event.model_dump())
    ]
    if search.newest_first:
        found.reverse()
    if after is not None:
        is_next = operator.lt if search.newest_first else operator.gt
        found = [event for event in found if is_next(event.place, after)]
    return Page(found[:limit], found[limit - 1].place if len(found) > limit else None)


class _Subjects:
    """Which key and which account the subject of an event is about; each subject is read once."""

    def __init__(self, store: Store, search: EventSearch) -> None:
        self._store = store
        self._search = search
        self._known: dict[str, About] = {}

    def is_wanted(self, event: dict[str, Any]) -> bool:
        """Whether an event is about the key and the account that are looked for."""
        wanted = self._search
        if wanted.key_arn is None and wanted.account is None:
            return True
        subject = str(event["subject"])
        if subject not in self._known:
            self._known[subject] = self._about(subject)
        key_arn, account = self._known[subject]
        # A grant that nobody knows is about the key that its event names.
        key_arn = key_arn or event["detail"].get("key")
        return wanted.key_arn in {None, key_arn} and wanted.account in {None, account}

    def _about(self, subject: str) -> About:
        kind, _, name = subject.partition("#")
        record: GrantRequest | Approval | None = None
        if kind == "request":
            record = self._store.find_request(name)
        elif kind == "approval":
            record = self._store.find_approval(name)
        if record:
            return record.key_arn, record.account
        if kind == "revocation":
            many = Revocations(self._store.tables).find(name)
            return (many.selectors.key_arn, many.selectors.account) if many else (None, None)
        if kind == "account":
            return None, name
        return (name.rpartition("#")[2] if kind in {"key", "check"} else None), None
