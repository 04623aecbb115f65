"""History that stays small: what was closed a month ago leaves the tables, and is found again."""

import json

from tests.local_stack.demo.actors import Actors
from tests.local_stack.demo.steps import granted, over
from tests.support.ageing import age, forget_pass


def history(actors: Actors) -> None:
    """Closed requests move to a bucket with Object Lock, where nobody changes or deletes them"""
    path = granted(actors, "PT1H")
    actors.api("partner", "DELETE", f"{path}/grant", expect="202 ending")
    over(actors, path, "released")
    deployment, request_id = actors.stack.deployment, path.rpartition("/")[2]
    tables = actors.client("root", "dynamodb")
    age(tables, deployment.request_table, request_id, days=40)
    forget_pass(tables, deployment.request_table)
    actors.timeline.note("as if 40 days had passed; then reconcile runs")
    actors.stack.shared["reconcile"].invoke({})
    bucket = str(deployment.template.reference("ArchiveBucket", None))
    stored = actors.aws("root", "s3", "ListObjectsV2", Bucket=bucket, told="s3:ListObjectsV2")
    [key] = [each["Key"] for each in stored["Contents"] if request_id in each["Key"]]
    found = {"Bucket": bucket, "Key": key}
    answer = actors.aws("root", "s3", "GetObject", **found, told="s3:GetObject")
    kept = json.loads(answer["Body"].read())
    actors.timeline.note(
        f"{len(kept['events'])} events, locked until {answer['ObjectLockRetainUntilDate']:%Y-%m-%d}"
    )
    actors.api("partner", "GET", path, expect="404 not_found")
    for who in ("role:reconcile", "root"):
        given = {**found, "VersionId": answer["VersionId"]}
        actors.aws(who, "s3", "DeleteObject", **given, told="s3:DeleteObjectVersion", expect="AccessDenied")
