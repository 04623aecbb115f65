"""What was seen of the use of the grants that an answer shows."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from grant_broker.api.lists import Find
from grant_broker.api_broker import ApiBroker
from grant_broker.aws.pages import Page
from grant_broker.domain.errors import DatabaseRefused, Unavailable
from grant_broker.domain.request import GrantRequest

if TYPE_CHECKING:
    from grant_broker.domain.usage import Usage

_LOG = logging.getLogger(__name__)


def find_usage(broker: ApiBroker, request_ids: Collection[str]) -> dict[str, Usage]:
    """Find what was seen of the use of these requests' grants, by id; of none where nobody looks.

    Nor where it cannot be read: nobody's grant is kept back for want of what is merely shown beside it.
    """
    if not broker.settings.usage_evidence or not request_ids:
        return {}
    # Few stacks look for use: what reads it costs no cold start of the others.
    from grant_broker.aws.usages import Usages  # noqa: PLC0415

    try:
        return Usages(broker.store.tables).find_all(request_ids)
    except (Unavailable, DatabaseRefused):
        _LOG.exception("what was seen of grants' use cannot be read")
        return {}


def find_one_usage(broker: ApiBroker, request: GrantRequest) -> Usage | None:
    """Find what was seen of one request's use; None without a grant."""
    return find_usage(broker, [request.id] if request.grant_id else []).get(request.id)


def with_usage(broker: ApiBroker, find: Find[GrantRequest]) -> Find[tuple[GrantRequest, Usage | None]]:
    """Make what reads a page of requests, each with what was seen of its use."""

    def find_page(*, limit: int, after: str | None) -> Page[tuple[GrantRequest, Usage | None]]:
        page = find(limit=limit, after=after)
        usage = find_usage(broker, [each.id for each in page.records if each.grant_id])
        return Page([(each, usage.get(each.id)) for each in page.records], page.after)

    return find_page
