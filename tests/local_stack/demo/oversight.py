"""The chapter of what stands for long, and owes looks, and of what an auditor is given."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.store import Store
from grant_broker.client.evidence.files import Evidence, gather
from grant_broker.client.evidence.trails import Period
from grant_broker.domain.times import format_time, parse_time
from grant_broker.events.export import export
from tests.local_stack.demo.actors import CONTEXT, Actors
from tests.local_stack.demo.steps import encrypt, over, submission
from tests.local_stack.demo.timeline import Surprise
from tests.local_stack.people import PARTNER

_TIMES = ("reviewed_at", "review_due", "unreviewed_after")


def oversight(actors: Actors) -> None:
    """What stands for long owes looks, and unseen covers nothing more; an auditor gets all of it, proven"""
    since, key_id = datetime.now(UTC), actors.key.rpartition("/")[2]
    actors.api("alice", "PATCH", f"/security/keys/{key_id}", {"review_every": "P30D"}, expect="200")
    approval = actors.api("alice", "POST", "/security/approvals", _approval(), expect="201 active").body["id"]
    asked = submission(actors, "partner", duration="PT1H")
    first = f"/requests/{actors.api('partner', 'POST', '/requests', asked, expect='201 active').body['id']}"
    _let_months_pass(actors, {f"key#{actors.key}": "key", f"approval#{approval}": "approval"})
    owed = actors.api("bob", "GET", "/security/reviews", expect="200").body["items"]
    actors.timeline.note(f"due: {', '.join(sorted(item['kind'] for item in owed))}")
    waits = actors.api("partner", "POST", "/requests", asked, expect="201 pending").body["id"]
    actors.api("partner", "DELETE", f"/requests/{waits}", expect="200 withdrawn")
    encrypt(actors, "partner")
    for kind, name in (("key", key_id), ("approval", approval)):
        review, seen = f"/security/reviews/{kind}/{name}", {"comment": "still needed"}
        actors.api("alice", "POST", review, seen, expect="403 not_permitted")
        actors.api("bob", "POST", review, seen, expect="200")
    again = actors.api("partner", "POST", "/requests", asked, expect="201 active").body["id"]
    actors.api("alice", "DELETE", f"/security/approvals/{approval}?revoke_active=true", expect="204")
    for path in (first, f"/requests/{again}"):
        over(actors, path, "revoked")
    actors.api("alice", "PATCH", f"/security/keys/{key_id}", {"review_every": None}, expect="200")
    _tell_evidence(actors, Period(since, datetime.now(UTC)), approval)


def _approval() -> dict[str, Any]:
    return {
        "key": "partner_data",
        "account": PARTNER,
        "operations": ["Encrypt"],
        "encryption_context": CONTEXT,
        "max_duration": "PT1H",
        "valid_until": format_time(datetime.now(UTC).replace(microsecond=0) + timedelta(days=300)),
        "reason": "the daily upload",
    }


def _let_months_pass(actors: Actors, subjects: dict[str, str]) -> None:
    """Move the times of looks back in the table, as its owner: in a second their grace is over."""
    table, dynamodb = actors.stack.deployment.approval_table, actors.client("root", "dynamodb")
    over_at = datetime.now(UTC) + timedelta(seconds=1)
    for subject, sort in subjects.items():
        key = {"pk": {"S": subject}, "sk": {"S": sort}}
        item = dynamodb.get_item(TableName=table, Key=key)["Item"]
        by = parse_time(item["unreviewed_after"]["S"]) - over_at
        moved = {name: {"S": format_time(parse_time(item[name]["S"]) - by)} for name in _TIMES}
        dynamodb.put_item(TableName=table, Item={**item, **moved})
    actors.timeline.note("months pass, and nobody looks: the demo moves their times back in the table")
    actors.until(lambda: datetime.now(UTC) > over_at, "the grace is over")


def _tell_evidence(actors: Actors, period: Period, approval: str) -> None:
    """Gather the evidence with an auditor's rights alone; Surprise where it is not whole."""
    found = gather(list(export(_auditors_store(actors))), period)
    rows = {name: len(population) for name, population in found.populations.items()}
    actors.timeline.note(f"an auditor's evidence of these seconds: {json.dumps(rows)}, whole: {found.whole}")
    [reviews] = [row["reviews"] for row in found.populations["approvals"] if row["approval"] == approval]
    if not found.whole or _ends(found) != ["revoked", "revoked"] or len(reviews) != 1:
        raise Surprise(f"the evidence is not what happened: {found.trail}")


def _ends(found: Evidence) -> list[str]:
    return [row["end"] for row in found.populations["grants"] if row["standing_approval"]]


def _auditors_store(actors: Actors) -> Store:
    deployment = actors.stack.deployment
    policy = json.loads(deployment.template.outputs()["AuditorPolicy"])
    role = deployment.cloud.create_role("demo-auditor", [policy])
    session = deployment.cloud.session(deployment.cloud.session_for(role, "auditor"))
    return Store(
        DynamoDb(session.client("dynamodb")),
        request_table=deployment.request_table,
        approval_table=deployment.approval_table,
    )
