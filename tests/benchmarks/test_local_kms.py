"""A call to the local KMS costs the same with one grant on the key and with 50,000."""

import base64
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.local_aws.answers import AwsError
from tests.local_aws.cloud import Cloud
from tests.local_aws.kms.grants import LIMIT
from tests.support.reports import Report

PARTNER = "444455556666"
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def _key(cloud: Cloud, role: str, grants: int) -> str:
    """A key with grants to one role, each for a context of its own; the ARN."""
    key = cloud.create_key({"Version": "2012-10-17", "Statement": [ROOT]})
    role_id = cloud.directory.resolve(role) or ""
    for number in range(grants):
        given = {
            "KeyId": key,
            "GranteePrincipal": role,
            "RetiringPrincipal": role,
            "Operations": ["Encrypt"],
            "Name": f"n{number}",
            "Constraints": {"EncryptionContextSubset": {"n": str(number)}},
        }
        cloud.kms.access.grants.create(
            cloud.kms.keys[key].grants, given, (role_id, role_id), cloud.home, cloud.clock()
        )
    return key


def _median(work: Callable[[], object]) -> float:
    rounds = []
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(20):
            work()
        rounds.append(time.perf_counter() - start)
    return statistics.median(rounds)


@pytest.mark.parametrize(
    "operation", ["Encrypt", "ListGrants", "ListGrants of one", "RetireGrant", "CreateGrant"]
)
def test_flat(operation: str, report: Report) -> None:
    """Each operation at 49,999 grants takes less than three times what it takes at one."""
    cloud = Cloud(lambda: datetime(2030, 1, 1, tzinfo=UTC))
    role = cloud.create_role("partner", [], PARTNER)
    caller, root = cloud.session_for(role, "s"), cloud.root()
    plain = base64.b64encode(b"p").decode()

    def work(key: str) -> Callable[[], Any]:
        last = next(reversed(cloud.kms.keys[key].grants.by_id.values())).grant_id
        given = {"KeyId": key, "GranteePrincipal": role, "Operations": ["Decrypt"], "Name": "same"}
        calls: dict[str, tuple[Any, str, dict[str, Any]]] = {
            "Encrypt": (
                caller,
                "Encrypt",
                {"KeyId": key, "Plaintext": plain, "EncryptionContext": {"n": "0"}},
            ),
            "ListGrants": (root, "ListGrants", {"KeyId": key, "Limit": 1}),
            "ListGrants of one": (root, "ListGrants", {"KeyId": key, "GrantId": last}),
            "RetireGrant": (caller, "RetireGrant", {"KeyId": key, "GrantId": last}),
            "CreateGrant": (root, "CreateGrant", given),
        }
        who, name, parameters = calls[operation]
        if operation == "RetireGrant":
            # A dry run is decided the same and leaves the grant for the next round.
            return lambda: _dry(cloud, who, name, parameters)
        return lambda: cloud.kms.handle(who, name, parameters)

    few, many = work(_key(cloud, role, 1)), work(_key(cloud, role, LIMIT - 1))
    few(), many()
    ratio = _median(many) / _median(few)
    report.append(("speed", [f"{operation}: {ratio:.2f} times as long with {LIMIT - 1} grants as with one"]))
    moto_api_backend.reset()
    assert ratio < 3


def _dry(cloud: Cloud, who: Any, name: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match="would have succeeded"):
        cloud.kms.handle(who, name, {**parameters, "DryRun": True})
