"""Lists of the API, page after page."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from grant_broker.client.http import Connection

if TYPE_CHECKING:
    from grant_broker.api.shapes.third_parties import Page

_LIMIT = "100"


def pages(
    connection: Connection, path: str, query: Mapping[str, str | None] | None = None
) -> Iterator[object]:
    """Every item of a list; a page is asked for when its first item is."""
    given = {"limit": _LIMIT, **(query or {})}
    while True:
        page = cast("Page[object]", connection.call("GET", path, query=given).body)
        yield from page["items"]
        if page["cursor"] is None:
            return
        given["cursor"] = page["cursor"]
