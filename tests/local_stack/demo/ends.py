"""Grants that would end together: who comes too late is told so at once, and what fits."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from grant_broker.domain.times import format_time
from tests.local_stack.demo.actors import CONTEXT, Actors
from tests.local_stack.demo.steps import encrypt, submission
from tests.support.crowd import ends_due

_BATCH = 25  # BatchWriteItem
_SOON = 2  # seconds until the crowd is met
_FIRST, _NEXT, _SECONDS = 240, 40, 5  # ends: all that can be made of the first second, and of each after it


def ends_that_meet(actors: Actors) -> None:
    """No grant whose end could not be on time: 409 with durations that fit, and debt that is seen before"""
    approval = {
        "key": "partner_data",
        "account": "444455556666",
        "operations": ["Encrypt"],
        "encryption_context": CONTEXT,
        "max_duration": "PT4H",
        "valid_until": format_time(datetime.now(UTC) + timedelta(hours=1)),
        "reason": "the partner's nightly uploads",
    }
    made = actors.api("alice", "POST", "/security/approvals", approval, expect="201 active").body["id"]
    crowd = _crowd(actors, timedelta(hours=3))
    asked = submission(actors, "partner", duration="PT3H")
    actors.until(lambda: _forecast(actors, asked) == "refuse", "a crowd")
    answer = actors.api("partner", "POST", "/requests", asked, expect="409 conflict")
    actors.timeline.note(answer.body["detail"])
    fitting = {**asked, "duration": answer.body["durations"][-1]}
    granted = actors.api("partner", "POST", "/requests", fitting, expect="201 active").body["id"]
    encrypt(actors, "partner")
    debt = actors.api("alice", "GET", "/security/debt", expect="200").body
    hour = max(debt["hours"], key=lambda part: int(part["due"]))
    actors.timeline.note(
        f"most falls due from {hour['at']} on: {hour['due']}, at most {debt['debt_seconds']} s late"
    )
    actors.api("partner", "GET", "/security/debt", expect="403 not_permitted")
    actors.api("partner", "DELETE", f"/requests/{granted}/grant", expect="202 ending")
    actors.api("alice", "DELETE", f"/security/approvals/{made}", expect="204")
    keys = [{"DeleteRequest": {"Key": {name: item[name] for name in ("pk", "sk")}}} for item in crowd]
    _write(actors, keys)


def _crowd(actors: Actors, lasts: timedelta) -> list[dict[str, Any]]:
    """What would lie on the agenda had very many been granted just before."""
    first = int(time.time() + lasts.total_seconds()) + _SOON
    counts = {first: _FIRST, **dict.fromkeys(range(first + 1, first + _SECONDS), _NEXT)}
    items = [item for due, count in counts.items() for item in ends_due(due, count, key_arn=actors.key)]
    _write(actors, [{"PutRequest": {"Item": item}} for item in items])
    actors.timeline.note(f"as if {len(items)} others had been granted, to end within five seconds in 3 h")
    return items


def _write(actors: Actors, requests: list[dict[str, Any]]) -> None:
    table = actors.stack.deployment.request_table
    for start in range(0, len(requests), _BATCH):
        batch = {table: requests[start : start + _BATCH]}
        actors.tried("root", "dynamodb", "BatchWriteItem", RequestItems=batch)


def _forecast(actors: Actors, asked: dict[str, Any]) -> str:
    answer = actors.stack.client("partner").call("POST", "/requests", asked, query={"dry_run": "true"})
    return str(answer.body["outcome"])
