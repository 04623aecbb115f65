"""Whose a grant is, and what is wrong with it."""

import hashlib
import re
from datetime import datetime, timedelta

from grant_broker.access_report.grant_findings import Maker as MakerOfEntry
from grant_broker.access_report.grant_findings import maker_of
from grant_broker.access_report.grants import DUPLICATE, TO_DELETED, entry_of, likeness
from grant_broker.client.census.seen import CROSS_ACCOUNT, Maker, SeenGrant
from grant_broker.domain.arns import SERVICE_PRINCIPAL, account_of
from grant_broker.domain.listed_grant import ListedGrant

# KMS may show a new principal by its id for a while: an id on a young grant is no proof of a deletion.
_YOUNG = timedelta(minutes=10)
_SERVICE = re.compile(r"(?:[a-z0-9-]+\.)+amazonaws\.com(?:\.cn)?", re.ASCII)
_MAKERS: dict[MakerOfEntry, Maker] = {
    MakerOfEntry.FOREIGN: "human",
    MakerOfEntry.BROKER: "broker",
    MakerOfEntry.SERVICE: "service",
}


class GrantJudge:
    """Judges the grants of one key, one after the other.

    Of each grant it keeps 16 bytes, to know its like again: a key has 50,000 at most.
    """

    def __init__(self, key_arn: str, now: datetime) -> None:
        self._account, self._now = account_of(key_arn), now
        self._known: set[bytes] = set()

    def judge(self, grant: ListedGrant) -> SeenGrant:
        """Say whose the grant is, and what is wrong with it."""
        entry = entry_of(grant, None)
        service = entry.through.service or _service_in(grant)
        maker: Maker = "service" if service else _MAKERS[maker_of(entry)]
        codes = [code for code in entry.findings if code != TO_DELETED or not self._young(grant)]
        if self._is_known(grant):
            codes.append(DUPLICATE)
        if grant.account not in {None, self._account}:
            codes.append(CROSS_ACCOUNT)
        return SeenGrant(grant, maker, service, max(0, (self._now - grant.created_at).days), tuple(codes))

    def _young(self, grant: ListedGrant) -> bool:
        return self._now - grant.created_at < _YOUNG

    def _is_known(self, grant: ListedGrant) -> bool:
        mark = hashlib.blake2b(repr(likeness(grant)).encode(), digest_size=16).digest()
        known = mark in self._known
        self._known.add(mark)
        return known


def _service_in(grant: ListedGrant) -> str | None:
    """Find the AWS service that a grant is for, by what else than its grantee and its maker tells it.

    Services name themselves as retiring principal, their resource as SourceArn, or pairs that begin with
    `aws:`; a person may do so too, and then the grant counts as the service's: it is left alone.
    """
    retiring = grant.retiring_principal or ""
    linked = SERVICE_PRINCIPAL.fullmatch(retiring)
    if linked:
        return linked["linked"] or linked["infrastructure"]
    if _SERVICE.fullmatch(retiring):
        return retiring
    if "SourceArn" in grant.constraints:
        return "an AWS service"
    pairs = (key for context in grant.constraints.values() for key in context)
    named = next((key for key in pairs if key.lower().startswith("aws:")), None)
    return named.split(":")[1] if named else None
