"""Which live grants a block forbids, by what their maker cannot write: creation time and block items."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from grant_broker.domain.blocks import Block, Selectors, Standing
from grant_broker.domain.listed_grant import PROPAGATION, ListedGrant
from grant_broker.domain.live_grants import SKEW


def find_fault_past_block(blocks: Iterable[Block], grant: ListedGrant) -> str | None:
    """Find why a grant may not live that was made while a matching block stood, clocks differing by SKEW."""
    for standing in _standings(blocks, grant):
        if standing.since + SKEW < grant.created_at < standing.ends_at - SKEW:
            return f"it was made while revocation {standing.revocation} blocked it"
    return None


def find_fault_of_revoked(blocks: Iterable[Block], grant: ListedGrant, now: datetime) -> str | None:
    """Find why a grant may not live that was there when a matching revocation came, some minutes ago.

    The revocation's own job ends it sooner. What it left has a record that says otherwise, by mistake or not.
    Clocks may differ by SKEW, but what was made after a block that stood for less was allowed again.
    """
    for standing in _standings(blocks, grant):
        there_by = min(standing.since + SKEW, standing.ends_at)
        if grant.created_at <= there_by and now - standing.since > PROPAGATION:
            return f"revocation {standing.revocation} was to end it"
    return None


def _standings(blocks: Iterable[Block], grant: ListedGrant) -> Iterator[Standing]:
    about = Selectors.about(key_arn=grant.key_arn, account=grant.account or "", grantee=grant.grantee)
    for block in blocks:
        if block.selectors.matches(about):
            yield from block.standings
