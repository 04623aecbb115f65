"""An answer of the API: status, JSON body and headers."""

import json
from typing import NamedTuple


class Answer(NamedTuple):
    """A status, a JSON body and headers; a problem document's content type tells it apart.

    `location` is a path of the API's own, without stage and base path. `retry_after`, in seconds, says when
    what is not final yet is worth asking for again. `etag` names the version that is shown.
    """

    status: int
    body: object = None
    location: str | None = None
    retry_after: int | None = None
    etag: str | None = None
    content_type: str = "application/json"

    @property
    def text(self) -> str:
        """The body as sent; empty where there is none."""
        return "" if self.body is None else json.dumps(self.body, separators=(",", ":"), ensure_ascii=False)
