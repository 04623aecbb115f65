"""Who can use a key: read its policy and all its grants, and answer within one Lambda's limits."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from grant_broker.access_report import (
    AccessEntry,
    AccessFinding,
    AccessReport,
    AccessTally,
    Identity,
    KeyPolicies,
)
from grant_broker.access_report.grants import entry_of
from grant_broker.access_report.identities import delegated_accounts
from grant_broker.aws.kms import KmsReader
from grant_broker.broker import Broker
from grant_broker.domain.errors import Fault, InvalidRequest, KmsRefused, Unavailable
from grant_broker.domain.key_usage import LastUse
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.keys.key_policy import find_key_policy

# A key at KMS's limit of 50,000 grants takes 500 calls, one after the other. Nobody waits for them before the
# first page; the second, which has to know them all, may take what the API's functions have: 25 s.
_QUICK = timedelta(seconds=1)
_LONGEST = timedelta(seconds=20)
PLACE = re.compile(r"(?:due|told) [\x20-\xff]{1,1024}|(?:due|told)-policies [0-9]{1,5}")
"""The text of an AccessPlace (KMS, ListGrants, Marker)."""


@dataclass(frozen=True)
class AccessPlace:
    """Where the next page starts, and whether the report over all grants is due there.

    KMS's `marker`, or None as long as only so many entries by the key policies were `given`. The report is
    due once, on the second page, where the first could not read all grants in time.
    """

    marker: str | None
    report_due: bool
    given: int = 0

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the text of a place."""
        state, _, rest = text.partition(" ")
        due = state.startswith("due")
        if state.endswith("-policies"):
            return cls(None, due, int(rest))
        return cls(rest, due)

    @property
    def text(self) -> str:
        """As a cursor holds it."""
        state = "due" if self.report_due else "told"
        return f"{state}-policies {self.given}" if self.marker is None else f"{state} {self.marker}"


@dataclass(frozen=True)
class AccessPage:
    """A part of a key's access report; `after` is where the next page starts, None at the end.

    Access by the key policies comes first, then by grants. `report` has findings and counts over all grants
    where there are counts, findings among the grants that were read so far where there are none. `last_use`,
    when the key was last used, is on the first page alone.
    """

    entries: list[AccessEntry]
    report: AccessReport | None
    after: AccessPlace | None
    last_use: LastUse | None = None


def get_first_page(broker: Broker, key_arn: str, *, limit: int) -> AccessPage:
    """Access by the key policies, then by grants: `limit` entries, and what a second of reading finds."""
    until = broker.clock() + _QUICK
    tally = AccessTally(key_arn, retiring_principal=broker.settings.retiring_principal)
    policies = get_key_policies(broker.kms, key_arn)
    by_policy = tally.entries_by(policies)
    room = limit - len(by_policy)
    grants, marker = broker.kms.list_grants_page(key_arn, limit=max(room, 1))
    by_grant = [tally.add(grant) for grant in grants]
    has_all = _add_rest(broker, tally, key_arn, marker, until)
    report = tally.report(policies)
    return AccessPage(
        [*by_policy, *by_grant][:limit],
        report if has_all else _so_far(report),
        _place_after(AccessPlace(None, report_due=not has_all, given=limit), room, grants, marker),
        broker.kms.find_last_use(key_arn),
    )


def get_next_page(broker: Broker, key_arn: str, *, limit: int, after: AccessPlace) -> AccessPage:
    """The next `limit` entries, and the report over all grants where it is due.

    Unavailable where it is due and KMS answers too slowly for one call of the API; the command line has no
    such limit.
    """
    until, own = broker.clock() + _LONGEST, broker.settings.retiring_principal
    by_policy: Sequence[AccessEntry] = ()
    if after.marker is None:
        tally = AccessTally(key_arn, retiring_principal=own)
        by_policy = tally.entries_by(get_key_policies(broker.kms, key_arn))[after.given :]
    room = limit - len(by_policy)
    try:
        grants, marker = broker.kms.list_grants_page(key_arn, limit=max(room, 1), marker=after.marker)
    except KmsRefused as error:
        if error.code != "InvalidMarkerException":
            raise
        raise InvalidRequest(Fault("cursor", "KMS does not know this place any more: start again")) from error
    report = _get_report(broker, key_arn, until) if after.report_due else None
    entries = [*by_policy, *(entry_of(grant, own) for grant in grants)][:limit]
    among_policies = AccessPlace(None, report_due=False, given=after.given + limit)
    place = _place_after(among_policies, room, grants, marker)
    return AccessPage(entries, report, place)


def _place_after(
    among_policies: AccessPlace, room: int, grants: Sequence[ListedGrant], marker: str | None
) -> AccessPlace | None:
    """Where the next page starts, after one that had room for so many grants.

    Without room a grant was read only to see whether there is one, and the next page reads it again.
    """
    if room > 0:
        return replace(among_policies, marker=marker, given=0) if marker else None
    return among_policies if room < 0 or grants else None


def get_whole(
    kms: KmsReader,
    key_arn: str,
    *,
    retiring_principal: str | None,
    read_identities: Callable[[set[str]], Sequence[Identity] | None],
) -> AccessPage:
    """The whole report in one page, with every grant and every finding.

    `read_identities` gives the roles and users of those accounts to whose IAM the key policy leaves
    something, as far as it can read them; None where it cannot.
    """
    policies = get_key_policies(kms, key_arn)
    accounts = delegated_accounts(policies, key_arn)
    identities = read_identities(accounts) if accounts else None
    tally = AccessTally(key_arn, retiring_principal=retiring_principal)
    grants, marker = kms.list_grants_page(key_arn)
    entries = [tally.add(grant) for grant in grants]
    while marker:
        grants, marker = kms.list_grants_page(key_arn, marker=marker)
        entries += [tally.add(grant) for grant in grants]
    report = tally.report(policies, identities=identities, most_of_a_kind=None)
    return AccessPage([*report.entries, *entries], report, None, kms.find_last_use(key_arn))


def get_key_policies(kms: KmsReader, key_arn: str) -> KeyPolicies:
    """The key's policies as far as KMS shows them to this caller."""
    try:
        names = tuple(kms.list_key_policies(key_arn))
    except KmsRefused:
        names = None
    return KeyPolicies(find_key_policy(kms, key_arn), names)


def _get_report(broker: Broker, key_arn: str, until: datetime) -> AccessReport:
    """The report over all grants, from the first: what an earlier page has read no cursor could hold."""
    tally = AccessTally(key_arn, retiring_principal=broker.settings.retiring_principal)
    grants, marker = broker.kms.list_grants_page(key_arn)
    for grant in grants:
        tally.add(grant)
    if not _add_rest(broker, tally, key_arn, marker, until):
        raise Unavailable("KMS lists this key's grants too slowly: use `grant-broker access`", retry_after=30)
    return tally.report(get_key_policies(broker.kms, key_arn))


def _add_rest(broker: Broker, tally: AccessTally, key_arn: str, marker: str | None, until: datetime) -> bool:
    """Add page after page while there is time; whether there is none left."""
    while marker and broker.clock() <= until:
        grants, marker = broker.kms.list_grants_page(key_arn, marker=marker)
        for grant in grants:
            tally.add(grant)
    return not marker


def _so_far(report: AccessReport) -> AccessReport:
    """What is known of a part of the grants: findings, the first of which says so, and no counts yet."""
    read = report.counts["grants"]
    words = f"so far {read:,} grants were read: the next page has the findings and counts over all of them"
    return replace(report, findings=(AccessFinding("not_all_read", words), *report.findings), counts={})
