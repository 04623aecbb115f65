"""What would replace the grants that people made by hand: keys as code, requests, and revoking at the end."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from grant_broker.access_report.grants import DUPLICATE
from grant_broker.client.census.seen import SeenGrant, SeenKey, Tally, Unread
from grant_broker.client.printing import printable
from grant_broker.domain.arns import GRANTEE, key_id_of
from grant_broker.domain.listed_grant import is_unique_id
from grant_broker.domain.scope import OPERATIONS, ContextMatch
from grant_broker.domain.submission import Submission
from grant_broker.domain.times import format_duration, format_time

_SCRIPT = """\
#!/bin/sh
# Revoke the grants that were made by hand, each once its replacement is active. Nothing here was run.
set -eu
"""
_UNNAMED = re.compile(r"[^a-z0-9_-]+")


@dataclass
class _Limits:
    """What the requests for one key need it to allow."""

    operations: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    match: ContextMatch = ContextMatch.EQUALS


class Adoption:
    """Writes into an empty folder: `keys/` for `apply`, `requests/` for `call POST /requests @FILE`,
    `revoke.sh`, and `left.jsonl` with what has no replacement, and why.

    Never about a grant of an AWS service, or of the broker.
    """

    def __init__(self, folder: Path, *, duration: int) -> None:
        self.folder, self._duration = folder, duration
        self._names: set[str] = set()
        self._limits = _Limits()
        self.replaced = self.left = 0
        for name in ("keys", "requests"):
            (folder / name).mkdir(parents=True)
        self._script = (folder / "revoke.sh").open("x", encoding="utf-8")
        self._left = (folder / "left.jsonl").open("x", encoding="utf-8")
        self._script.write(_SCRIPT)

    def key(self, key: SeenKey) -> None:  # noqa: ARG002 - all listeners have this form
        """Begin a key."""
        self._limits = _Limits()

    def grant(self, key: SeenKey, seen: SeenGrant) -> None:
        """Write what would replace a grant, or why nothing would."""
        if seen.maker != "human":
            return
        if DUPLICATE in seen.findings:
            # Of its like one is replaced, and that gives as much.
            self._write_revocation(key, seen, "it gives what another grant gives already")
            return
        submission = self._replacement(key, seen)
        if isinstance(submission, Submission):
            self._write_request(key, seen, submission)
            self._write_revocation(key, seen, f"replaced by {_request_path(key, seen)}")
            self.replaced += 1
            return
        if is_unique_id(seen.grant.grantee):
            self._write_revocation(key, seen, "its grantee was deleted: nobody can use it")
        line = {"key_arn": key.arn, "grant_id": seen.grant.grant_id, "grantee": seen.grant.grantee}
        self._left.write(json.dumps({**line, "why": submission}) + "\n")
        self.left += 1

    def end_of_key(self, key: SeenKey, tally: Tally) -> None:  # noqa: ARG002
        """Write the key's limits: as much as its grants hold now, and no more."""
        if not self._limits.operations:
            return
        document = {
            "kind": "key",
            "key_arn": key.arn,
            "name": self._name(key),
            "operations": [name for name in OPERATIONS if name in self._limits.operations],
            "max_duration": format_duration(self._duration),
            "context_match": self._limits.match.value,
            "accounts": sorted(self._limits.accounts),
        }
        lines = [f"{name}: {json.dumps(value)}\n" for name, value in document.items()]
        (self.folder / "keys" / f"{_stem(key)}.yaml").write_text("".join(lines), "utf-8")

    def end(self, tally: Tally, unread: list[Unread]) -> None:  # noqa: ARG002
        """Close the files."""
        self._script.close()
        self._left.close()

    def _replacement(self, key: SeenKey, seen: SeenGrant) -> Submission | str:
        """The request that would replace a grant; else why there can be none."""
        if fault := _fault(key, seen):
            return fault
        [(kind, pairs)] = seen.grant.constraints.items()
        match = ContextMatch.EQUALS if kind.endswith("Equals") else ContextMatch.SUBSET
        made = format_time(seen.grant.created_at)
        try:
            return Submission.model_validate(
                {
                    "key": key.arn,
                    "grantee": seen.grant.grantee,
                    "operations": seen.grant.operations,
                    "encryption_context": pairs,
                    "context_match": match,
                    "duration": format_duration(self._duration),
                    "reason": f"in the place of grant {seen.grant.grant_id}, made by hand at {made}",
                }
            )
        except ValidationError as error:
            return "; ".join(fault["msg"] for fault in error.errors())

    def _write_request(self, key: SeenKey, seen: SeenGrant, submission: Submission) -> None:
        self._limits.operations.update(submission.operations)
        self._limits.accounts.add(str(seen.grant.account))
        if submission.context_match == ContextMatch.SUBSET:
            self._limits.match = ContextMatch.SUBSET
        path = self.folder / _request_path(key, seen)
        path.parent.mkdir(exist_ok=True)
        body = submission.model_dump(mode="json", exclude_none=True)
        path.write_text(json.dumps(body, indent=2) + "\n", "utf-8")

    def _write_revocation(self, key: SeenKey, seen: SeenGrant, why: str) -> None:
        which = ("--region", key.region, "--key-id", key.arn, "--grant-id", seen.grant.grant_id)
        words = shlex.join(["aws", "kms", "revoke-grant", *which])
        self._script.write(f"# {printable(f'{seen.grant.grantee}: {why}')}\n{words}\n")

    def _name(self, key: SeenKey) -> str:
        alias = key.aliases[0].removeprefix("alias/") if key.aliases else f"key-{key_id_of(key.arn)[:8]}"
        stem = _UNNAMED.sub("-", alias.lower()).strip("-")[:56] or "key"
        number, name = 1, stem
        while name in self._names:
            number += 1
            name = f"{stem}-{number}"
        self._names.add(name)
        return name


def _fault(key: SeenKey, seen: SeenGrant) -> str | None:
    """Why the broker cannot replace a grant, where that is known before a request is written."""
    grant = seen.grant
    if not key.grantable:
        return "the broker serves enabled, symmetric encryption keys of the customer's own alone"
    if is_unique_id(grant.grantee):
        return "its grantee was deleted"
    if not GRANTEE.fullmatch(grant.grantee):
        return "the broker grants to one role, user or session alone"
    if len(grant.constraints) != 1 or not all(grant.constraints.values()):
        return "it has no encryption context: the broker constrains every grant, so choose one and ask for it"
    return None


def _request_path(key: SeenKey, seen: SeenGrant) -> str:
    return f"requests/{_stem(key)}/{_UNNAMED.sub('-', seen.grant.grant_id.lower())}.json"


def _stem(key: SeenKey) -> str:
    return f"{key.region}-{key_id_of(key.arn)}"
