"""The grants of all keys, indexed so that a call costs the same with one grant and with 50,000."""

import itertools
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.local_aws.kms.listing import Listing

LIMIT = 50_000
_MOST_SUBSETS = 10  # pairs of a context whose subsets are looked up one by one
Pairs = frozenset[tuple[str, str]]
_Kind = tuple[str, Pairs]


@dataclass
class Grant:
    """One grant, as ListGrants shows it, with its principals' unique ids."""

    shown: dict[str, Any]
    grantee_id: str
    """The grantee's unique id; of an AWS service its name."""
    retiring_id: str | None
    place: int
    """Its place in the order in which all grants were created."""

    @property
    def grant_id(self) -> str:
        """The grant's id."""
        return str(self.shown["GrantId"])

    @property
    def key_arn(self) -> str:
        """The key's ARN."""
        return str(self.shown["KeyId"])

    @property
    def operations(self) -> frozenset[str]:
        """What it allows."""
        return frozenset(self.shown["Operations"])

    @property
    def constraint(self) -> _Kind:
        """The constraint's type and pairs; both empty where it has none."""
        found: Mapping[str, Mapping[str, str] | str] = self.shown.get("Constraints", {})
        for kind, wanted in found.items():
            return kind, frozenset({("", wanted)} if isinstance(wanted, str) else wanted.items())
        return "", frozenset()


@dataclass
class Grantee:
    """One principal's grants on one key, by operations and constraint: those alike decide alike."""

    listing: Listing[Grant] = field(default_factory=Listing)
    alike: dict[frozenset[str], dict[_Kind, dict[_Kind, dict[str, Grant]]]] = field(default_factory=dict)
    """By operations, by constraint with keys in lower case, by constraint as given, by grant id."""

    def add(self, grant: Grant) -> None:
        """Take a grant in."""
        self.listing.add(grant.place, grant)
        kinds = self.alike.setdefault(grant.operations, {})
        variants = kinds.setdefault(_folded(grant.constraint), {})
        variants.setdefault(grant.constraint, {})[grant.grant_id] = grant

    def remove(self, grant: Grant) -> None:
        """Forget a grant."""
        self.listing.remove(grant.place)
        kinds, folded = self.alike[grant.operations], _folded(grant.constraint)
        variants = kinds[folded]
        del variants[grant.constraint][grant.grant_id]
        if not variants[grant.constraint]:
            del variants[grant.constraint]
        if not variants:
            del kinds[folded]
        if not kinds:
            del self.alike[grant.operations]

    def candidates(
        self, operation: str, pairs: Mapping[str, str], *, constrained: bool, counts: Callable[[Grant], bool]
    ) -> Iterator[Grant]:
        """One of each kind of grants that can allow the operation with these encryption context pairs.

        Of those that count.
        Keys are looked up in lower case, so that each reading of their case finds its grants. A constraint
        by SourceArn is met by no call made here: AWS services alone call for a resource.
        """
        for operations, kinds in self.alike.items():
            if operation not in operations:
                continue
            for kind in _met_by(pairs, kinds) if constrained else _any_but_by_source(kinds):
                for alike in kinds[kind].values():
                    yield from itertools.islice(filter(counts, alike.values()), 1)


def _folded(kind: _Kind) -> _Kind:
    return kind[0], frozenset((key.lower(), value) for key, value in kind[1])


def _any_but_by_source(kinds: Iterable[_Kind]) -> Iterator[_Kind]:
    return itertools.islice((kind for kind in kinds if kind[0] != "SourceArn"), 1)


def _met_by(pairs: Mapping[str, str], kinds: Mapping[_Kind, Any]) -> Iterator[_Kind]:
    _, given = _folded(("", frozenset(pairs.items())))
    looked_up: Iterator[_Kind] = iter([("", frozenset()), ("EncryptionContextEquals", given)])
    if len(given) <= _MOST_SUBSETS:
        sizes = range(len(given) + 1)
        subsets = itertools.chain.from_iterable(itertools.combinations(given, size) for size in sizes)
        looked_up = itertools.chain(looked_up, (("EncryptionContextSubset", frozenset(s)) for s in subsets))
        return (kind for kind in looked_up if kind in kinds)
    within = (kind for kind in kinds if kind[0] == "EncryptionContextSubset" and kind[1] <= given)
    return itertools.chain((kind for kind in looked_up if kind in kinds), within)


@dataclass
class KeyGrants:
    """The grants of one key."""

    by_id: dict[str, Grant] = field(default_factory=dict)
    ended: dict[str, Grant] = field(default_factory=dict)
    """Those that KMS has not forgotten yet."""
    listing: Listing[Grant] = field(default_factory=Listing)
    by_grantee: dict[str, Grantee] = field(default_factory=dict)
    _named: dict[str, Grant] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether the key takes no further grant."""
        return len(self.by_id) >= LIMIT

    def repeated(self, wanted: Mapping[str, Any], ids: tuple[str, str | None], issuer: str) -> Grant | None:
        """The grant that has this Name and all these parameters already."""
        return self._named.get(_identity(wanted, ids, issuer)) if "Name" in wanted else None

    def add(self, grant: Grant, issuer: str) -> None:
        """Take a grant in."""
        self.by_id[grant.grant_id] = grant
        self.listing.add(grant.place, grant)
        self.by_grantee.setdefault(grant.grantee_id, Grantee()).add(grant)
        if "Name" in grant.shown:
            self._named[_identity(grant.shown, (grant.grantee_id, grant.retiring_id), issuer)] = grant

    def end(self, grant: Grant) -> None:
        """End a grant, which is listed and counts until it is forgotten."""
        self.ended[grant.grant_id] = self.by_id.pop(grant.grant_id)
        if "Name" in grant.shown:
            issuer = grant.shown["IssuingAccount"].split(":")[4]
            del self._named[_identity(grant.shown, (grant.grantee_id, grant.retiring_id), issuer)]

    def forget(self, grant: Grant) -> None:
        """Forget a grant that has ended."""
        del self.ended[grant.grant_id]
        self.listing.remove(grant.place)
        self.by_grantee[grant.grantee_id].remove(grant)
        if not self.by_grantee[grant.grantee_id].alike:
            del self.by_grantee[grant.grantee_id]


def _identity(shown: Mapping[str, Any], ids: tuple[str, str | None], issuer: str) -> str:
    constraints = shown.get("Constraints", {})
    return json.dumps(
        [shown["Name"], ids, issuer, sorted(set(shown["Operations"])), constraints], sort_keys=True
    )


@dataclass
class Grants:
    """Every grant of every key, its tokens, and who may retire it."""

    places: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Token to key ARN and grant id; tokens of ended grants stay known."""
    retirable: dict[str, Listing[Grant]] = field(default_factory=dict)

    def create(
        self,
        key: KeyGrants,
        wanted: Mapping[str, Any],
        ids: tuple[str, str | None],
        issuer: str,
        at: datetime,
    ) -> tuple[Grant, str]:
        """The grant with these parameters and Name, or a new one, and a fresh token for it."""
        grant = key.repeated(wanted, ids, issuer)
        if grant is None:
            shown = {
                **wanted,
                "GrantId": secrets.token_hex(32),
                "CreationDate": at.timestamp(),
                "IssuingAccount": f"arn:aws:iam::{issuer}:root",
            }
            grant = self.keep(key, shown, ids, issuer)
        token = secrets.token_urlsafe(96)
        self.tokens[token] = (grant.key_arn, grant.grant_id)
        return grant, token

    def keep(self, key: KeyGrants, shown: dict[str, Any], ids: tuple[str, str | None], issuer: str) -> Grant:
        """A grant as it is shown, its id included."""
        grant = Grant(shown, *ids, place=next(self.places))
        key.add(grant, issuer)
        if grant.retiring_id:
            self.retirable.setdefault(grant.retiring_id, Listing()).add(grant.place, grant)
        return grant

    def forget(self, key: KeyGrants, grant: Grant) -> None:
        """Forget a grant that has ended."""
        key.forget(grant)
        if grant.retiring_id:
            self.retirable[grant.retiring_id].remove(grant.place)
