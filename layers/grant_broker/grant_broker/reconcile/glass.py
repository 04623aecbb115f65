"""Judge live grants by break-glass, and note those in order, so that each takes one of its day's."""

from grant_broker.aws.store import Store
from grant_broker.domain.coverage import Coverage
from grant_broker.domain.glass_evidence import GlassSeen, days_of, judge_break_glass
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.records import Change


class GlassJudge:
    """Reads what was counted of each key's day once a run, and collects what is to be noted of it.

    A grant that is noted stays in order, whatever else was seen since: of too many, those that were seen
    last end.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[tuple[str, str], GlassSeen] = {}
        self._used: dict[tuple[str, str], set[str]] = {}
        self._new: dict[tuple[str, str], list[str]] = {}

    def judge(self, grant: ListedGrant, limits: KeyDocument) -> Coverage | None:
        """Whether break-glass covered a grant that nothing else covers; None where the key has none."""
        if limits.break_glass is None:
            return None
        place = grant.key_arn, "/".join(days_of(grant))
        is_noted = grant.grant_id in self._find_noted(place)
        others = set() if is_noted else self._counted(grant, place)
        found = judge_break_glass(limits.break_glass, grant, others)
        if found.covered and not is_noted:
            self._new.setdefault(place, []).append(grant.grant_id)
        return found

    def note_new(self) -> list[Change]:
        """The changes that note what was found since this was last asked."""
        found: list[Change] = []
        for place, grant_ids in self._new.items():
            change = self._seen[place].with_more(grant_ids)
            self._seen[place] = change.record
            found.append(change)
        self._new = {}
        return found

    def _find_noted(self, place: tuple[str, str]) -> set[str]:
        if place not in self._seen:
            key_arn, days = place
            self._seen[place] = self._store.places.get(GlassSeen(key_arn=key_arn, days=days))
        return {*self._seen[place].grant_ids, *self._new.get(place, ())}

    def _counted(self, grant: ListedGrant, place: tuple[str, str]) -> set[str]:
        """Those that count against a grant which was not noted: of each of its days, noted or used."""
        counted = self._find_noted(place)
        for day in days_of(grant):
            counted |= self._find_noted((grant.key_arn, day)) | self._used_on(grant.key_arn, day)
        return counted

    def _used_on(self, key_arn: str, day: str) -> set[str]:
        if (key_arn, day) not in self._used:
            self._used[key_arn, day] = set(self._store.glass.list_used(key_arn, day))
        return self._used[key_arn, day]
