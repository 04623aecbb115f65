"""Both tables and KMS's grants as an earlier version of the broker left them, and a stack that finds them.

`items-1.jsonl.gz` was recorded from version 0.1.0 through its handlers, its schedules and faults of KMS: its
first line says when, and how each request or approval came about; then an item a line, in DynamoDB's JSON,
and a grant a line, as KMS lists it. A recording is never changed: what it holds is what a customer's tables
hold. The trails of some requests, and most counters, were left out.
"""

import gzip
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from grant_broker.domain.times import parse_time
from tests.local_aws.kms.keys import Keys
from tests.support.scene import InProcessStack

Item = dict[str, Any]
_FILE = Path(__file__).with_name("items-1.jsonl.gz")


@dataclass(frozen=True)
class Recording:
    """`named` maps how a record came about to its id, `keys` a key's name to its ARN."""

    recorded_at: datetime
    named: dict[str, str]
    keys: dict[str, str]
    requests: list[Item]
    approvals: list[Item]
    grants: list[dict[str, Any]]

    @property
    def items(self) -> list[Item]:
        """The items of both tables."""
        return [*self.requests, *self.approvals]


@cache
def recording() -> Recording:
    """What was recorded."""
    with gzip.open(_FILE, "rt", encoding="utf-8") as file:
        head, *lines = map(json.loads, file)
    keys = head["named"].pop("keys")
    tables: dict[str, list[Item]] = {"requests": [], "approvals": []}
    for line in lines:
        if "item" in line:
            tables[line["table"]].append(line["item"])
    grants = [line["grant"] for line in lines if "grant" in line]
    return Recording(parse_time(head["recorded_at"]), head["named"], keys, **tables, grants=grants)


def deploy() -> InProcessStack:
    """A stack of the present code, with the recording's keys."""
    arns = iter(sorted(recording().keys.values()))  # partner_data was the first
    with mock.patch.object(Keys, "new_arn", side_effect=lambda *_, **__: next(arns)):
        stack = InProcessStack.deploy()
        cloud = stack.cloud
        policy = stack.key_policy()
        for _ in list(recording().keys)[1:]:
            cloud.create_key(policy)
    return stack


def restore(stack: InProcessStack) -> None:
    """Put everything back as it was recorded, at the recording's time."""
    stack.empty()
    stack.fill(stack.deployment.request_table, recording().requests)
    stack.fill(stack.deployment.approval_table, recording().approvals)
    _restore_grants(stack)
    stack.clock.now = recording().recorded_at


def _restore_grants(stack: InProcessStack) -> None:
    """The grants as they were, but for the name of the role that may retire them: it is another stack's."""
    kms, resolve = stack.deployment.cloud.kms, stack.deployment.cloud.directory.resolve
    for shown in recording().grants:
        grant = {**shown, "RetiringPrincipal": stack.deployment.functions["expiry"].role}
        grantee, retiring = resolve(grant["GranteePrincipal"]), resolve(grant["RetiringPrincipal"])
        assert grantee is not None
        assert retiring is not None
        ids = (grantee, retiring)
        kms.access.grants.keep(kms.keys[shown["KeyId"]].grants, grant, ids, stack.deployment.cloud.home)


def trails() -> dict[str, list[Item]]:
    """By subject, the items of the partitions whose trail was kept."""
    found: dict[str, list[Item]] = {}
    for item in recording().items:
        found.setdefault(item["pk"]["S"], []).append(item)
    kept = {item["pk"]["S"] for item in recording().items if "hash" in item}
    return {subject: items for subject, items in found.items() if subject in kept}
