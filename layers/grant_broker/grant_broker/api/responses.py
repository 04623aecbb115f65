"""An answer of the API: status, headers and a JSON body."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """A status, headers and a JSON body; a problem document's content type tells it apart."""

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    @property
    def text(self) -> str:
        """The body as sent; empty where there is none."""
        return "" if self.body is None else json.dumps(self.body, separators=(",", ":"), ensure_ascii=False)
