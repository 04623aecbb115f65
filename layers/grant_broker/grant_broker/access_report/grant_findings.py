"""Findings about grants, gathered while the grants are seen one by one and not kept."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from grant_broker.access_report.entries import AccessEntry, AccessFinding
from grant_broker.access_report.grants import DETAILS
from grant_broker.domain.arns import find_account

_SHOWN_IDS = 3
SERVICE_GRANTS = "service_grants"
_CODES = list(DETAILS)


class Maker(IntEnum):
    """Whose a grant is: strangers come first in a report, AWS's services last."""

    FOREIGN = 0
    BROKER = 1
    SERVICE = 2


class _Service(NamedTuple):
    """An AWS service that works for an account; None where its grants do not say for which."""

    name: str
    account: str | None


@dataclass
class _Group:
    """The grants of one grantee that share a code."""

    count: int = 0
    ids: list[str] = field(default_factory=list)

    def add(self, grant_id: str) -> None:
        self.count += 1
        if len(self.ids) < _SHOWN_IDS:
            self.ids.append(grant_id)

    @property
    def words(self) -> str:
        more = f" and {self.count - len(self.ids)} more" if self.count > len(self.ids) else ""
        return f"{', '.join(self.ids)}{more}"


@dataclass
class _ServiceGroup:
    """The grants of one AWS service, with how many of them have which code."""

    count: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, codes: tuple[str, ...]) -> None:
        self.count += 1
        self.codes.update(codes)

    @property
    def words(self) -> str:
        return "; ".join(f"{self.codes[code]} {DETAILS[code]}" for code in _CODES if code in self.codes)


def maker_of(entry: AccessEntry) -> Maker:
    """Whose the grant of this entry is."""
    if entry.through.request_id:
        return Maker.BROKER
    return Maker.SERVICE if entry.through.service else Maker.FOREIGN


class GrantFindings:
    """Findings by grantee and code; the grants of an AWS service, of which there are many, by service.

    `account` is the key's.
    """

    def __init__(self, account: str) -> None:
        self._account = account
        self._groups: dict[tuple[Maker, str], dict[str, _Group]] = defaultdict(dict)
        self._services: dict[_Service, _ServiceGroup] = {}

    def add(self, entry: AccessEntry, codes: tuple[str, ...]) -> None:
        """Take a grant in, with the codes of what is wrong with it."""
        if not codes:
            return
        maker = maker_of(entry)
        if maker is Maker.SERVICE:
            account = find_account(entry.principal)
            service = _Service(str(entry.through.service), account)
            self._services.setdefault(service, _ServiceGroup()).add(codes)
            return
        for code in codes:
            group = self._groups[maker, code].setdefault(entry.principal, _Group())
            group.add(str(entry.through.grant_id))

    @property
    def counts(self) -> Counter[str]:
        """How many grants have each code, whoever made them."""
        found: Counter[str] = Counter()
        for (_, code), groups in self._groups.items():
            found[code] += sum(group.count for group in groups.values())
        for service in self._services.values():
            found.update({**service.codes, SERVICE_GRANTS: service.count})
        return found

    def of(self, maker: Maker) -> Iterator[AccessFinding]:
        """The findings about one maker's grants, the worst first."""
        if maker is Maker.SERVICE:
            # A service that works for another account lets that account's resources use the key.
            for service in sorted(self._services, key=lambda each: each.account in {None, self._account}):
                yield self._of_service(service)
        for code in _CODES:
            for principal, group in self._groups.get((maker, code), {}).items():
                yield AccessFinding(code, f"{DETAILS[code]}: {group.words}", principal or None)

    def _of_service(self, service: _Service) -> AccessFinding:
        group = self._services[service]
        account = f" in account {service.account}" if service.account else ""
        words = f"{group.count} grants for {service.name}'s own work{account}: {group.words}"
        return AccessFinding(SERVICE_GRANTS, words, service.name)
