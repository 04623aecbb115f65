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
from grant_broker.keys.key_policy import find_key_policy

# A key at KMS's limit of 50,000 grants takes 500 calls, one after the other. Nobody waits for them before the
# first page; the second, which has to know them all, may take what the API's functions have: 25 s.
_QUICK = timedelta(seconds=1)
_LONGEST = timedelta(seconds=20)
PLACE = re.compile(r"(?:due|told) [\x20-\xff]{1,1024}")
"""The text of an AccessPlace (KMS, ListGrants, Marker)."""


@dataclass(frozen=True)
class AccessPlace:
    """Where the next page starts: KMS's marker, and whether the report over all grants is due there.

    It is once, on the second page, where the first could not read all grants in time.
    """

    marker: str
    report_due: bool

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the text of a place."""
        state, _, marker = text.partition(" ")
        return cls(marker, state == "due")

    @property
    def text(self) -> str:
        """As a cursor holds it."""
        return f"{'due' if self.report_due else 'told'} {self.marker}"


@dataclass(frozen=True)
class AccessPage:
    """A part of a key's access report; `after` is where the next page starts, None at the end.

    The first page has the access by the key policies. `report` has findings and counts over all grants where
    there are counts, findings among the grants that were read so far where there are none. `last_use`, when
    the key was last used, is on the first page alone.
    """

    entries: list[AccessEntry]
    report: AccessReport | None
    after: AccessPlace | None
    last_use: LastUse | None = None


def get_first_page(broker: Broker, key_arn: str, *, limit: int) -> AccessPage:
    """Access by the key policy, the first `limit` grants, and what a second of reading finds."""
    until = broker.clock() + _QUICK
    tally = AccessTally(key_arn, retiring_principal=broker.settings.retiring_principal)
    grants, marker = broker.kms.list_grants_page(key_arn, limit=limit)
    entries = [tally.add(grant) for grant in grants]
    has_all = _add_rest(broker, tally, key_arn, marker, until)
    report = tally.report(get_key_policies(broker.kms, key_arn))
    after = AccessPlace(marker, report_due=not has_all) if marker else None
    last_use = broker.kms.find_last_use(key_arn)
    return AccessPage([*report.entries, *entries], report if has_all else _so_far(report), after, last_use)


def get_next_page(broker: Broker, key_arn: str, *, limit: int, after: AccessPlace) -> AccessPage:
    """The next `limit` grants, and the report over all of them where it is due.

    Unavailable where it is due and KMS answers too slowly for one call of the API; the command line has no
    such limit.
    """
    until = broker.clock() + _LONGEST
    try:
        grants, marker = broker.kms.list_grants_page(key_arn, limit=limit, marker=after.marker)
    except KmsRefused as error:
        if error.code != "InvalidMarkerException":
            raise
        raise InvalidRequest(Fault("cursor", "KMS does not know this place any more: start again")) from error
    own = broker.settings.retiring_principal
    report = _get_report(broker, key_arn, until) if after.report_due else None
    place = AccessPlace(marker, report_due=False) if marker else None
    return AccessPage([entry_of(grant, own) for grant in grants], report, place)


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
