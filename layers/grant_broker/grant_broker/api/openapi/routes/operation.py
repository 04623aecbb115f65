"""One method of one path, as the OpenAPI document describes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from grant_broker.api.openapi.schemas import Shape


@dataclass(frozen=True)
class Operation:
    """One method of one path. `answers` are the successes by status; most refusals follow from the rest.

    `conflicts`: may be 409. `repeatable`: takes an Idempotency-Key; `conditional`: If-Match. `follow`:
    operations on what was answered, by its id or by the key's.
    """

    name: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, Shape]
    body: type[BaseModel] | None = None
    query: tuple[str, ...] = ()
    conflicts: bool = False
    repeatable: bool = False
    conditional: bool = False
    follow: tuple[str, ...] = ()

    @property
    def refusals(self) -> tuple[int, ...]:
        """The statuses of its problem documents."""
        missing = {404} if "{" in self.path else set()
        conflict = {409} if self.conflicts or self.repeatable else set()
        large = {413} if self.body else set()
        stale = {412} if self.conditional else set()
        return tuple(sorted({400, 403, 429, 503} | missing | conflict | large | stale))
