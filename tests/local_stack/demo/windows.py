"""Later starts, and what is approved ahead for some hours alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.local_stack.demo.actors import CONTEXT, DENIED, Actors
from tests.local_stack.demo.steps import encrypt, over, submission
from tests.local_stack.people import PARTNER

_EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def windows(actors: Actors) -> None:
    """Hours: a standing approval covers what starts and ends within one of its windows, by local clocks"""
    now = datetime.now(UTC)
    tonight = _approved(actors, now + timedelta(hours=3), now + timedelta(hours=5))
    early = actors.api("partner", "POST", "/requests", submission(actors, "partner"), expect="201 pending")
    actors.api("partner", "DELETE", f"/requests/{early.body['id']}", expect="200 withdrawn")
    present = _approved(actors, now - timedelta(minutes=5), now + timedelta(hours=1))
    long = actors.api("partner", "POST", "/requests", submission(actors, "partner"), expect="201 pending")
    actors.api("partner", "DELETE", f"/requests/{long.body['id']}", expect="200 withdrawn")
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    asked = submission(actors, "partner", duration="PT2S", starts_at=_text(start))
    path = f"/requests/{actors.api('partner', 'POST', '/requests', asked, expect='201 approved').body['id']}"
    actors.api("partner", "POST", f"{path}/grant", expect="409 conflict")
    encrypt(actors, "partner", expect=DENIED)
    actors.until(lambda: datetime.now(UTC) >= start, "the start")
    actors.timeline.note(f"it is {_text(start)}, the time that the request asked for")
    actors.api("partner", "POST", f"{path}/grant", expect="201 active")
    encrypt(actors, "partner")
    over(actors, path, "expired")
    for approval_id in (tonight, present):
        actors.api("alice", "DELETE", f"/security/approvals/{approval_id}", expect="204")


def _approved(actors: Actors, since: datetime, until: datetime) -> str:
    approval: dict[str, Any] = {
        "key": "partner_data",
        "account": PARTNER,
        "operations": ["Encrypt"],
        "encryption_context": CONTEXT,
        "max_duration": "PT2H",
        "valid_until": _text(datetime.now(UTC) + timedelta(days=1)),
        "windows": [
            {"days": _EVERY_DAY, "from": f"{since:%H:%M}", "to": f"{until:%H:%M}", "time_zone": "UTC"}
        ],
        "reason": "the nightly upload",
    }
    return str(actors.api("alice", "POST", "/security/approvals", approval, expect="201 active").body["id"])


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
