"""Requests on their way to the archive, and what an auditor finds there."""

import json
from datetime import timedelta
from typing import Any

from grant_broker.aws.archive import Archive
from grant_broker.aws.clients import Clients
from grant_broker.events.export import export, verify_export
from grant_broker.reconcile.run import reconcile
from tests.local_aws.cloud import AwsCall
from tests.local_aws.s3 import Bucket
from tests.support.scene import InProcessStack

LATER = timedelta(days=31)
TIME = 240.0  # seconds of a run


def run(scene: InProcessStack) -> None:
    """A run of reconcile, which is whole whatever came of the archive."""
    assert reconcile(scene.brokers.broker("reconcile"), lambda: TIME).complete


def closed(scene: InProcessStack, **changes: Any) -> str:
    """The id of a request whose grant was released, and looked for once more."""
    request_id = scene.active(**changes)
    assert scene.release(request_id).status == 202
    scene.expire()
    scene.later(400)
    assert scene.request(request_id).due is None
    return request_id


def withdrawn(scene: InProcessStack, **changes: Any) -> str:
    """The id of a request that was closed without a grant: the least that is archived."""
    request_id = scene.pending(**changes)
    assert scene.call("partner", "DELETE", f"/requests/{request_id}").status == 200
    return request_id


def items(scene: InProcessStack, request_id: str) -> list[dict[str, Any]]:
    """What the request table holds of a request."""
    return [item for item in scene.stored() if item["pk"]["S"] == f"request#{request_id}"]


def archived(bucket: Bucket) -> list[Any]:
    """What the archive's objects say."""
    bodies = [version.body for versions in bucket.objects.values() for version in versions]
    return [json.loads(body) for body in bodies if body]


def is_moving(call: AwsCall) -> bool:
    """Whether a call moves a request: stores its object, or takes its events out of the table."""
    return call.service == "s3" or any("Delete" in each for each in call.parameters["TransactItems"])


def failures(scene: InProcessStack) -> list[float]:
    """What the metric told of each pass."""
    return scene.measured("ArchiveFailures")


def broken(scene: InProcessStack) -> dict[str, str]:
    """The breaches that an auditor finds in tables and archive, by subject."""
    broker = scene.brokers.broker("reconcile")
    aws = scene.cloud.session(scene.cloud.root())
    archive = Archive(Clients(aws.client).s3(), broker.settings.archive_bucket)
    found = verify_export(export(broker.store, archive))
    assert found.export is None
    return {subject: breach.detail for subject, breach in found.broken.items()}
