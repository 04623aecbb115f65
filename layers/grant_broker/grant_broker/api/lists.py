"""The lists of the API: a page of records, and the cursor for the next one."""

import re
from collections.abc import Callable
from typing import Protocol, TypeVar

from grant_broker.api import cursors
from grant_broker.api.query import limit_of
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call
from grant_broker.aws.pages import Page

T = TypeVar("T")


class Find(Protocol[T]):
    """Reads one page of at most `limit` records, after a place or from the start."""

    def __call__(self, *, limit: int, after: str | None) -> Page[T]:
        """The page."""


def answer_page(
    call: Call, find: Find[T], show: Callable[[T], object], *, form: re.Pattern[str] = cursors.LISTED
) -> Answer:
    """The page that a call asks for, with the cursor of the next one; InvalidRequest (limit, cursor).

    `form` is that of the list's places.
    """
    bound = cursors.binding(call.caller, call.route, call.query)
    place = cursors.read(call.query.get("cursor"), bound, form=form)
    page = find(limit=limit_of(call.query), after=place)
    items = [show(each) for each in page.records]
    return Answer(200, {"items": items, "cursor": cursors.write(bound, page.after)})
