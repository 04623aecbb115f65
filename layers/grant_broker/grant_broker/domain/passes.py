"""How far reconcile's passes have got, what they have counted, and what of it was told."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.arns import find_account
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.place import Place, PlaceChanges
from grant_broker.domain.records import ChangeOf, Stamp
from grant_broker.domain.times import Time
from grant_broker.domain.trail import Json, digest
from grant_broker.domain.versions import record_event, revise

_ACCOUNTS = 10  # that issued most are named
_SHOWN = 20  # grants of others that one event names
_DIGEST_BITS = 256


class Elsewhere(BaseModel):
    """Grants that name `expiry`'s role and are not the broker's: how many, and which accounts issued most."""

    model_config = ConfigDict(frozen=True)

    grants: int = 0
    accounts: dict[str, int] = {}

    def plus(self, others: Collection[ListedGrant]) -> "Elsewhere":
        """With more of them. Only so many accounts are kept: anybody could have any number of them."""
        issuers = Counter(find_account(grant.issuing_account or "") or "unknown" for grant in others)
        most = (Counter(self.accounts) + issuers).most_common(_ACCOUNTS)
        return Elsewhere(grants=self.grants + len(others), accounts=dict(most))


class PassCount(BaseModel):
    """What a pass over the grants that `expiry` may retire has counted: live ones, overdue ones, others'.

    `oldest` is the earliest expiry among the overdue ones.
    """

    model_config = ConfigDict(frozen=True)

    live: int = 0
    overdue: int = 0
    oldest: Time | None = None
    elsewhere: Elsewhere = Elsewhere()

    def plus(self, ours: Iterable[ListedGrant], others: Collection[ListedGrant], now: datetime) -> Self:
        """With one more page."""
        ends = [grant.expiry for grant in ours]
        over = [end for end in ends if end and end < now]
        return self.model_copy(
            update={
                "live": self.live + len(ends),
                "overdue": self.overdue + len(over),
                "oldest": min([*over, *([self.oldest] if self.oldest else [])], default=None),
                "elsewhere": self.elsewhere.plus(others) if others else self.elsewhere,
            }
        )

    def beside(self, other: "PassCount") -> "PassCount":
        """With another Region's count, but for what is elsewhere."""
        oldest = min(filter(None, (self.oldest, other.oldest)), default=None)
        return PassCount(live=self.live + other.live, overdue=self.overdue + other.overdue, oldest=oldest)


class ByOthers(BaseModel):
    """Grants on a registered key that are not the broker's to end, services' ones counted apart.

    `listed` counts all grants, the broker's as well: KMS has a quota of them for each key. `digest` is over
    the ids of all but the services', in whatever order they are listed.
    """

    model_config = ConfigDict(frozen=True)

    grants: int = 0
    services: int = 0
    listed: int = 0
    digest: str = ""
    shown: tuple[Json, ...] = ()

    def plus(self, others: Collection[tuple[ListedGrant, str]], services: int, *, listed: int) -> "ByOthers":
        """With one more page: each grant with why it is left alone."""
        total = int(self.digest or "0", 16) + sum(_number(grant) for grant, _ in others)
        more = tuple({**_brief(grant), "because": reason} for grant, reason in others)
        return ByOthers(
            grants=self.grants + len(others),
            services=self.services + services,
            listed=self.listed + listed,
            digest=f"{total % 2**_DIGEST_BITS:x}" if self.digest or others else "",
            shown=(*self.shown, *more)[:_SHOWN],
        )


def _number(grant: ListedGrant) -> int:
    return int(hashlib.sha256(grant.grant_id.encode()).hexdigest(), 16)


def _brief(grant: ListedGrant) -> Json:
    # Contexts may be long, and others' business.
    return {name: value for name, value in grant.detail.items() if name not in {"key", "constraints"}}


class PassChanges(PlaceChanges, total=False):
    """What a pass over grants may set."""

    count: PassCount | ByOthers
    told: Elsewhere | ByOthers


class GrantsPlace(Place):
    """The pass over all grants of a Region that `expiry`'s role may retire.

    `region`: None for the home Region.
    """

    region: str | None = None
    count: PassCount = PassCount()
    told: Elsewhere = Elsewhere()

    @property
    def subject(self) -> str:
        """Its partition, which only reconcile writes."""
        return f"reconcile#grants#{self.region}" if self.region else "reconcile#grants"

    def moved(self, marker: str | None, count: PassCount) -> "ChangeOf[GrantsPlace]":
        """Interrupted: the next run goes on here."""
        return revise(self, PassChanges(marker=marker, count=count))

    def finished(self, count: PassCount, stamp: Stamp) -> "ChangeOf[GrantsPlace]":
        """At the end. Where others' grants are not what was told last there is one event, however many."""
        done = PassChanges(marker=None, count=PassCount(), finished_at=stamp.at)
        if count.elsewhere == self.told:
            return revise(self, done)
        detail = count.elsewhere.model_dump() | ({"region": self.region} if self.region else {})
        changes = PassChanges(**done, told=count.elsewhere)
        return record_event(self, "grants_elsewhere", stamp, detail, changes)


class KeyPlace(Place):
    """The pass over one registered key's grants."""

    key_arn: str
    count: ByOthers = ByOthers()
    told: ByOthers = ByOthers()

    @property
    def subject(self) -> str:
        """Its partition, which only reconcile writes."""
        return f"reconcile#{self.key_arn}"

    def moved(self, marker: str | None, count: ByOthers) -> "ChangeOf[KeyPlace]":
        """Interrupted: the next run goes on here."""
        return revise(self, PassChanges(marker=marker, count=count))

    def finished(self, count: ByOthers, stamp: Stamp) -> "ChangeOf[KeyPlace]":
        """At the end. Where others' grants are not what was told last there is one event, however many.

        Services' grants come and go with what they are made for, and are no news.
        """
        done = PassChanges(marker=None, count=ByOthers(), finished_at=stamp.at)
        if count.digest == self.told.digest:
            return revise(self, done)
        detail = {
            "key": self.key_arn,
            "grants": count.grants,
            "services": count.services,
            "shown": list(count.shown),
        }
        return record_event(self, "grants_by_others", stamp, detail, PassChanges(**done, told=count))

    def refused(self, now: datetime) -> "ChangeOf[KeyPlace]":
        """KMS does not list the key's grants to reconcile: tried again when it is its turn."""
        return revise(self, PassChanges(marker=None, count=ByOthers(), finished_at=now))


class RecordsPlace(Place):
    """The pass over the requests that are not final."""

    @property
    def subject(self) -> str:
        """Its partition, which only reconcile writes."""
        return "reconcile#records"

    def moved(self, marker: str) -> "ChangeOf[RecordsPlace]":
        """Interrupted: the next run goes on here."""
        return revise(self, PassChanges(marker=marker))

    def finished(self, now: datetime) -> "ChangeOf[RecordsPlace]":
        """At the end."""
        return revise(self, PassChanges(marker=None, finished_at=now))


class ArchivePlaceChanges(PlaceChanges, total=False):
    """What a pass over closed requests may set."""

    moved_so_far: int


class ArchivePlace(Place):
    """The pass over the requests that have been closed for long enough; `moved_so_far` to the archive."""

    moved_so_far: int = 0

    @property
    def subject(self) -> str:
        """Its partition, which only reconcile writes."""
        return "reconcile#archive"

    def moved(self, marker: str, count: int) -> "ChangeOf[ArchivePlace]":
        """Interrupted: the next run goes on here."""
        return revise(self, ArchivePlaceChanges(marker=marker, moved_so_far=count))

    def finished(self, count: int, stamp: Stamp) -> "ChangeOf[ArchivePlace]":
        """At the end. Where any were moved there is one event, however many."""
        done = ArchivePlaceChanges(marker=None, moved_so_far=0, finished_at=stamp.at)
        if not count:
            return revise(self, done)
        return record_event(self, "archived", stamp, {"requests": count}, done)


class ReviewsPlaceChanges(PlaceChanges, total=False):
    """What a count of the looks that are owed may set."""

    owed: int
    owing: str


class ReviewsPlace(Place):
    """How many keys, standing approvals and accounts owed a look when they were counted last.

    `owing` is a digest of which.
    """

    owed: int = 0
    owing: str = ""

    @property
    def subject(self) -> str:
        """Its partition, which only reconcile writes."""
        return "reconcile#reviews"

    def counted(self, owing: Sequence[str], stamp: Stamp) -> "ChangeOf[ReviewsPlace]":
        """Counted. Where others owe a look than last time there is one event, which names some of them."""
        seal = digest(sorted(owing)) if owing else ""
        changes = ReviewsPlaceChanges(finished_at=stamp.at, owed=len(owing), owing=seal)
        if not owing or seal == self.owing:
            return revise(self, changes)
        detail = {"owed": len(owing), "shown": sorted(owing)[:_SHOWN]}
        return record_event(self, "reviews_due", stamp, detail, changes)
