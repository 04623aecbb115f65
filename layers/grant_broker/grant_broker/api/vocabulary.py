"""What the shapes of the API are made of: texts of a form, and what JSON Schema says of them.

Imports nothing but the standard library and words of the domain; a test holds these to the domain's own.
"""

from dataclasses import dataclass
from typing import Annotated

from grant_broker.domain import arns


@dataclass(frozen=True)
class Keywords:
    """JSON Schema keywords in an Annotated: what the type alone does not say."""

    description: str | None = None
    pattern: str | None = None
    enum: tuple[str, ...] | None = None
    examples: tuple[str, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None


Id = Annotated[str, Keywords(pattern=r"^[0-9a-f]{32}$")]
Account = Annotated[str, Keywords(pattern=r"^[0-9]{12}$")]
KeyArn = Annotated[str, Keywords(pattern=f"^{arns.KEY.pattern}$")]
Hash = Annotated[str, Keywords(pattern=r"^[0-9a-f]{64}$")]
Duration = Annotated[
    str,
    Keywords(
        pattern=r"^P(?:[0-9]+D)?(?:T(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)?$",
        examples=("PT2H",),
        description="ISO 8601, normalised.",
    ),
]
Time = Annotated[
    str,
    Keywords(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z$",
        examples=("2026-01-31T09:30:00Z",),
        description="RFC 3339, UTC.",
    ),
]
LocalTime = Annotated[
    str, Keywords(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$", description="By the clocks there.")
]
Weekday = Annotated[str, Keywords(enum=("mon", "tue", "wed", "thu", "fri", "sat", "sun"))]
ContextMatch = Annotated[str, Keywords(enum=("equals", "subset"))]
Verdict = Annotated[str, Keywords(enum=("approve", "deny"))]
Known = Annotated[str, Keywords(enum=("yes", "no", "unknown"))]
Function = Annotated[
    str, Keywords(enum=("requests", "expiry"), description="`requests` creates grants, `expiry` ends them.")
]
CheckResult = Annotated[str, Keywords(enum=("passed", "failed"))]
OwnWords = Keywords(description="The requester's own words: not to be trusted.")
Cursor = Annotated[str | None, Keywords(description="Where the next page starts; null at the end.")]
