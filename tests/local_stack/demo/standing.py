"""Approved ahead: what a standing approval covers is granted at once."""

from datetime import UTC, datetime, timedelta

from tests.local_stack.demo.actors import CONTEXT, Actors
from tests.local_stack.demo.steps import encrypt, over, submission
from tests.local_stack.people import PARTNER


def standing_approval(actors: Actors) -> None:
    """A standing approval: what it covers is granted at once, what it does not waits for people"""
    until = datetime.now(UTC) + timedelta(hours=1)
    approval = {
        "key": "partner_data",
        "account": PARTNER,
        "operations": ["Encrypt"],
        "encryption_context": CONTEXT,
        "max_duration": "PT1H",
        "valid_until": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": "the daily upload",
    }
    approval_id = actors.api("alice", "POST", "/security/approvals", approval, expect="201 active").body["id"]
    longer = actors.api("partner", "POST", "/requests", submission(actors, "partner"), expect="201 pending")
    actors.api("partner", "DELETE", f"/requests/{longer.body['id']}", expect="200 withdrawn")
    asked = submission(actors, "partner", duration="PT1H")
    made = actors.api("partner", "POST", "/requests", asked, expect="201 active").body["id"]
    encrypt(actors, "partner")
    actors.api("alice", "DELETE", f"/security/approvals/{approval_id}?revoke_active=true", expect="204")
    over(actors, f"/requests/{made}", "revoked")
