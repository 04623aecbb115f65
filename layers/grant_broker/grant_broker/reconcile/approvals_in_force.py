"""What a live grant is judged by: records, votes, standing approvals and keys, read in batches."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from grant_broker.aws.adoptions import Adoptions
from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import record_of
from grant_broker.aws.limits_versions import LimitsVersions
from grant_broker.aws.store import Store
from grant_broker.domain.accounts import Account
from grant_broker.domain.approvals import Approval
from grant_broker.domain.blocked_grants import find_fault_of_revoked, find_fault_past_block
from grant_broker.domain.blocks import Block
from grant_broker.domain.coverage import Coverage
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.limits_in_force import LimitsVersion, in_force
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.live_grants import Recorded, Rules, covering, fault_in, when_intended
from grant_broker.domain.recertification import find_unreviewed
from grant_broker.domain.records import Change
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.trail import GENESIS, Head
from grant_broker.domain.uses import Use
from grant_broker.reconcile.glass import GlassJudge
from grant_broker.reconcile.settings import ReconcileSettings

M = TypeVar("M", GrantRequest, Approval)
_COVERED = Coverage(covered=True, reason="")
_EVENT = re.compile(r"event#(\d{6,12})", re.ASCII)


@dataclass(frozen=True)
class Evidence:
    """What the grants of one page are judged by."""

    records: Mapping[str, GrantRequest | None]
    """By id; None for one that cannot be read as a request."""
    uses: Mapping[str, Use]
    """By the id of each request whose grant has ended."""
    _adopted: Collection[str]
    """The ids of the records that reconcile made for grants without one."""
    _votes: Mapping[str, Approval]
    _named: Mapping[str, Approval]
    _reader: "Reader"

    def longest(self, grant: ListedGrant) -> int:
        """How long a grant may live, in seconds, by the limits that were in force when it was made."""
        return max(limits.document.max_duration for limits in self._reader.list_limits(grant))

    def find_head(self, record_id: str) -> Head:
        """Where the trail of a request ends whose record is lost: its next event goes there, or nowhere."""
        return self._reader.find_head(record_id)

    def find_grantee(self, grant: ListedGrant, record: GrantRequest | None) -> str | None:
        """Find whom the grant was asked for, by its record or by the votes on it."""
        votes = self._votes.get(grant.request_id or "")
        asked = record or votes
        return asked.grantee if asked else None

    def is_end_ordered(self, grant: ListedGrant, record: GrantRequest) -> bool:
        """Whether the security team has a grant ended that was in order until then.

        By a revocation that came after it, or by withdrawing the standing approval that covered it.
        """
        blocks = self._reader.list_blocks()
        if record.id != grant.request_id or record.id in self.uses or find_fault_past_block(blocks, grant):
            return False
        if self._is_revoked(grant):
            # In one transaction with its record, which ends it: one that says otherwise somebody has forged.
            return record.status == Status.ENDING
        if find_fault_of_revoked(blocks, grant, self._reader.now):
            return self._fault_as_made(grant, record) is None
        return self._is_approval_withdrawn(grant, record)

    def _is_approval_withdrawn(self, grant: ListedGrant, record: GrantRequest) -> bool:
        named = self._named.get(record.approval or "")
        if named is None or not named.revoke_active:
            return False
        before = [named.as_if_not_withdrawn()]
        return any(
            covering(grant, Recorded(record), before, self._reader.rules(limits)).covered
            for limits in self._reader.list_limits(grant)
        )

    def fault(self, grant: ListedGrant, record: GrantRequest | None) -> str | None:
        """Why a well-named grant may not live, or None."""
        if use := self.uses.get(grant.request_id or ""):
            return use.fault
        blocks = self._reader.list_blocks()
        return (
            find_fault_past_block(blocks, grant)
            or ("its request was revoked" if self._is_revoked(grant) else None)
            or self._fault_as_made(grant, record)
            or find_fault_of_revoked(blocks, grant, self._reader.now)
        )

    def _is_revoked(self, grant: ListedGrant) -> bool:
        votes = self._votes.get(grant.request_id or "")
        return votes is not None and votes.withdrawn_at is not None

    def _fault_as_made(self, grant: ListedGrant, record: GrantRequest | None) -> str | None:
        """Why the grant may not live by what held when it was made, blocks aside."""
        faults = [self._fault_under(limits, grant, record) for limits in self._reader.list_limits(grant)]
        return None if None in faults else faults[-1]

    def _fault_under(self, limits: Key, grant: ListedGrant, record: GrantRequest | None) -> str | None:
        recorded = Recorded(record, adopted=record is not None and record.id in self._adopted)
        rules = self._reader.rules(limits)
        coverage = covering(grant, recorded, list(self._candidates(grant, record)), rules)
        fault = fault_in(grant, coverage=coverage, limits=limits)
        if coverage.covered or fault_in(grant, coverage=_COVERED, limits=limits):
            return fault
        glass = self._reader.glass.judge(grant, limits.document)
        return fault if glass is None else fault_in(grant, coverage=glass, limits=limits)

    def note_glass(self) -> list[Change]:
        """The notes of grants by break-glass that were seen for the first time."""
        return self._reader.glass.note_new()

    def _candidates(self, grant: ListedGrant, record: GrantRequest | None) -> Iterator[Approval]:
        is_unreviewed = self._reader.is_unreviewed(grant)
        if record and (named := self._named.get(record.approval or "")) and not is_unreviewed:
            yield named
        if votes := self._votes.get(grant.request_id or ""):
            yield votes
        may_stand = record is None or record.status.waits or record.id in self._adopted
        if may_stand and not is_unreviewed:
            yield from self._reader.list_standing(grant.key_arn, grant.account or "")


class Reader:
    """Reads each thing once a run, and consistently where its table allows. Nothing here writes."""

    def __init__(self, store: Store, settings: ReconcileSettings, now: datetime) -> None:
        self._store = store
        self._settings = settings
        self.now = now
        self.glass = GlassJudge(store)
        self._blocks: list[Block] | None = None
        self._keys: dict[str, Key | None] = {}
        self._accounts: dict[str, Account | None] = {}
        self._versions: dict[str, list[LimitsVersion]] = {}
        self._named: dict[str, Approval] = {}
        self._standing: dict[tuple[str, str], list[Approval]] = {}

    def read_evidence(self, grants: Collection[ListedGrant]) -> Evidence:
        """Read the records that these grants lead to, the votes on them, and the approvals they name."""
        ids = {grant.request_id for grant in grants if grant.request_id}
        records = self.read_records({*ids, *(grant.derived_id for grant in grants)})
        named = {record.approval for record in records.values() if record and record.approval}
        self._named |= self._read_approvals("approval#", named - self._named.keys())
        uses, votes = self._store.uses.find_all(records.keys() | ids), self._read_approvals("request#", ids)
        adopted = Adoptions(self._store.tables).find_all([r.id for r in records.values() if r and r.kms_name])
        return Evidence(records, uses, adopted, votes, self._named, self)

    def read_records(self, ids: Collection[str]) -> dict[str, GrantRequest | None]:
        """Read the requests that exist of these ids; None for one that cannot be read as a request."""
        keys = [(f"request#{name}", "request") for name in ids]
        items = self._store.database.get_many(self._store.tables.request_table, keys)
        return {item["pk"].removeprefix("request#"): _readable(GrantRequest, item) for item in items}

    def find_head(self, record_id: str) -> Head:
        """Find where the trail of a lost record ends."""
        query = Query(
            table=self._store.tables.request_table,
            condition="pk = :pk AND begins_with(sk, :events)",
            values={":pk": f"request#{record_id}", ":events": "event#"},
            consistent=True,
            descending=True,
            limit=1,
        )
        last = self._store.database.rows(query).items
        # Nobody vouches for it any more: what is no event of ours must not stop the run.
        place = _EVENT.fullmatch(last[0]["sk"]) if last else None
        return Head(int(place[1]), str(last[0].get("hash"))) if place else Head(0, GENESIS)

    def find_key(self, key_arn: str) -> Key | None:
        """Find a key in the register."""
        if key_arn not in self._keys:
            self._keys[key_arn] = self._store.find_key(key_arn)
        return self._keys[key_arn]

    def is_unreviewed(self, grant: ListedGrant) -> bool:
        """Whether standing approvals covered nothing when a grant was made: nobody had looked for too long.

        Who has looked since makes up for it: times of former looks are not kept.
        """
        key, name = self.find_key(grant.key_arn), grant.account or ""
        if name not in self._accounts:
            self._accounts[name] = self._store.find_account(name)
        at = when_intended(grant)[0]
        return find_unreviewed(at, ("the key", key), ("the account", self._accounts[name])) is not None

    def list_blocks(self) -> list[Block]:
        """List what the security team has blocked, also what it blocks no more: few, however many grants."""
        if self._blocks is None:
            self._blocks = self._store.blocks.list()
        return self._blocks

    def list_standing(self, key_arn: str, account: str) -> list[Approval]:
        """List the standing approvals for an account on a key."""
        if (key_arn, account) not in self._standing:
            self._standing[key_arn, account] = list(
                self._store.lists.list_approvals_for(key_arn=key_arn, account=account)
            )
        return self._standing[key_arn, account]

    def list_limits(self, grant: ListedGrant) -> list[Key]:
        """List the limits that may have held when a grant on a registered key was made, the latest last.

        Where no version is known of that time the present ones hold.
        """
        key_arn = grant.key_arn
        if key_arn not in self._versions:
            self._versions[key_arn] = LimitsVersions(self._store.tables).list(key_arn)
        known = in_force(self._versions[key_arn], *when_intended(grant))
        return known or [cast("Key", self.find_key(key_arn))]

    def rules(self, limits: Key) -> Rules:
        """What an approval had to reach under some limits."""
        return Rules(self._settings.quorum(limits.document), self._settings.take_up_within)

    def _read_approvals(self, prefix: str, ids: Collection[str]) -> dict[str, Approval]:
        keys = [(f"{prefix}{name}", "approval") for name in ids]
        items = self._store.database.get_many(self._store.tables.approval_table, keys)
        found = {item["pk"].removeprefix(prefix): _readable(Approval, item) for item in items}
        return {name: approval for name, approval in found.items() if approval}


def _readable(model: type[M], item: dict[str, Any]) -> M | None:
    try:
        return record_of(model, item)
    except ValueError:
        return None
