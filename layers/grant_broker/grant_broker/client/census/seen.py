"""What a census sees: keys, grants, what is to say of each, and counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from grant_broker.access_report.grants import DETAILS
from grant_broker.domain.key_usage import LastUse
from grant_broker.domain.listed_grant import ListedGrant

Maker = Literal["human", "broker", "service"]
CROSS_ACCOUNT = "cross_account_grant"
_ELSEWHERE = "grants to a principal of another account than the key's"
MEANINGS: Mapping[str, str] = {**DETAILS, CROSS_ACCOUNT: _ELSEWHERE}
"""What is wrong with the grants of each code."""


@dataclass(frozen=True)
class SeenKey:
    """A key. `last_use` is None where KMS does not tell it."""

    arn: str
    region: str
    aliases: tuple[str, ...]
    manager: str
    state: str
    spec: str
    usage: str
    created_at: datetime
    last_use: LastUse | None

    @property
    def grantable(self) -> bool:
        """Whether the broker could serve it: a customer's own, symmetric, and in use."""
        kind = (self.manager, self.spec, self.usage, self.state)
        return kind == ("CUSTOMER", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "Enabled")


@dataclass(frozen=True)
class SeenGrant:
    """A grant, who made it, and the codes of what is wrong with it. `service` made or holds it."""

    grant: ListedGrant
    maker: Maker
    service: str | None
    age_days: int
    findings: tuple[str, ...]


@dataclass
class Tally:
    """Counts over the grants of one key, or of all."""

    keys: int = 0
    makers: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    oldest_days: int = 0
    """Of those that neither the broker nor a service made."""

    def add(self, seen: SeenGrant) -> None:
        """Count a grant; what is wrong with a service's own is the service's."""
        self.makers[seen.maker] += 1
        if seen.maker == "human":
            self.findings.update(seen.findings)
            self.oldest_days = max(self.oldest_days, seen.age_days)

    def take_in(self, other: "Tally") -> None:
        """Add another's counts."""
        self.keys += 1
        self.makers += other.makers
        self.findings += other.findings
        self.oldest_days = max(self.oldest_days, other.oldest_days)

    @property
    def view(self) -> dict[str, object]:
        """For programs."""
        return {
            "keys": self.keys,
            "grants": self.makers.total(),
            **{f"{maker}_grants": self.makers[maker] for maker in ("human", "broker", "service")},
            "oldest_human_days": self.oldest_days,
            "findings": dict(sorted(self.findings.items())),
        }


@dataclass(frozen=True)
class Unread:
    """A Region or a key that could not be read, and why."""

    what: str
    why: str


class Listener(Protocol):
    """Takes a census in, in its order: a key, its grants one by one, its end; then the end of all."""

    def key(self, key: SeenKey) -> None:
        """Begin a key."""

    def grant(self, key: SeenKey, seen: SeenGrant) -> None:
        """Take one of its grants in."""

    def end_of_key(self, key: SeenKey, tally: Tally) -> None:
        """All its grants are through."""

    def end(self, tally: Tally, unread: list[Unread]) -> None:
        """All keys are through."""
