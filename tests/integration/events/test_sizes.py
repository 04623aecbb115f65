"""How large an event can become: far from what EventBridge takes, whatever people send."""

import json
from typing import Any

import pytest

from grant_broker.aws.attributes import plain
from grant_broker.aws.event_bus import batches_of, entry_of
from grant_broker.aws.items import record_of
from grant_broker.domain.trail import Event
from grant_broker.reconcile.run import reconcile
from tests.support.limits import limits
from tests.support.scene import ACCOUNTS, InProcessStack, time

# Four bytes in UTF-8, the most that a character takes.
WIDE = "\U0001f40c"
CONTEXT = {WIDE * 383 + str(number): WIDE * 384 for number in range(8)}
OPERATIONS = ["Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptTo", "DescribeKey"]
LONG = {"reason": WIDE * 1000, "operations": OPERATIONS, "encryption_context": CONTEXT}


@pytest.fixture
def scene(deployed: InProcessStack) -> InProcessStack:
    """The deployment, empty."""
    deployed.reset()
    return deployed


def _send(scene: InProcessStack, who: str, method: str, path: str, **body: Any) -> dict[str, Any]:
    """Send a body in UTF-8, so that it holds as much as 64 KiB can."""
    answer = scene.call(who, method, path, json.dumps(body, ensure_ascii=False))
    assert answer.status in {200, 201}, answer.body
    found: dict[str, Any] = answer.body
    return found


def test_the_largest_events(scene: InProcessStack) -> None:
    """The largest submission, vote, approval, key document and adopted grant make events of at most 32 KB."""
    submission = scene.submission(**LONG, ticket=WIDE * 100)
    request_id = _send(scene, "partner", "POST", "/requests", **submission)["id"]
    decision = {"verdict": "approve", "comment": WIDE * 1000}
    _send(scene, "alice", "POST", f"/security/requests/{request_id}/decision", **decision)
    until = time(scene.clock.now.replace(hour=23))
    standing = {"key": "partner_data", "account": ACCOUNTS[0], "max_duration": "PT4H", "valid_until": until}
    _send(scene, "alice", "POST", "/security/approvals", **LONG, **standing)
    accounts = [f"{number:012d}" for number in range(100)]
    document = limits(name="n" * 64, accounts=accounts, required_context=CONTEXT)
    _send(scene, "alice", "PUT", f"/security/keys/{scene.key_id}", **document)
    scene.kms.create_grant(
        KeyId=scene.key_arn, GranteePrincipal=scene.grantee("partner"), Operations=OPERATIONS,
        RetiringPrincipal=scene.deployment.template.reference("ExpiryRole", "Arn"),
        Name=f"grant-broker/{'f' * 32}/{int(scene.clock.now.timestamp()) + 600}",
        Constraints={"EncryptionContextSubset": CONTEXT},
    )  # fmt: skip
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    sizes = {
        entry.event.type: entry.size for batch in batches_of(map(entry_of, _events(scene))) for entry in batch
    }
    assert {"submitted", "approved", "approval_made", "key_changed", "adopted"} <= set(sizes)
    assert max(sizes.values()) < 32_000


def _events(scene: InProcessStack) -> list[Event]:
    items = scene.tables.scan(TableName=scene.deployment.request_table)["Items"]
    return [record_of(Event, plain(item)) for item in items if item["sk"]["S"].startswith("event#")]
