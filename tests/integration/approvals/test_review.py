"""What an approver sees beside a request: how the votes stand, what else the grantee holds, what is amiss."""

from datetime import timedelta

from tests.support.scene import START, InProcessStack, time


def test_votes(scene: InProcessStack) -> None:
    """Those that count so far, and how many it takes: the next voter sees what a vote has shortened."""
    scene.limit(quorum=2)
    request_id = scene.pending()
    path = f"/security/requests/{request_id}"
    assert scene.call("bob", "GET", path).body["votes"] == {"given": 0, "needed": 2}
    first = scene.decide(request_id, "alice", duration="PT1H").body
    assert (first["votes"], first["status"]) == ({"given": 1, "needed": 2}, "pending")
    shown = scene.call("bob", "GET", path).body
    assert (shown["duration"], shown["asked_duration"]) == ("PT1H", "PT2H")
    assert [vote["duration"] for vote in shown["decisions"]] == ["PT1H"]
    [voted] = [event for event in shown["trail"] if event["type"] == "voted"]
    assert voted["detail"]["duration"] == "PT1H"
    assert scene.decide(request_id, "bob").body["votes"] == {"given": 2, "needed": 2}
    [item] = scene.call("bob", "GET", "/security/requests").body["items"]
    assert (item["votes"], item["duration"]) == ({"given": 2, "needed": 2}, "PT1H")


def test_others(scene: InProcessStack) -> None:
    """The grantee's other live grants on the key, and nobody else's; not what has ended."""
    first = scene.active(encryption_context={"tenant": "a"})
    ended = scene.active(encryption_context={"tenant": "b"})
    scene.release(ended)
    scene.expire()
    theirs = scene.submit("other_partner", grantee=scene.grantee("other_partner")).body["id"]
    scene.decide(theirs)
    assert scene.take_up(theirs, "other_partner").status == 201
    asked = scene.pending(encryption_context={"tenant": "c"})
    shown = scene.call("alice", "GET", f"/security/requests/{asked}").body
    assert shown["others"] == [
        {
            "id": first, "status": "active", "operations": ["Encrypt"], "encryption_context": {"tenant": "a"},
            "context_match": "equals", "expires_at": time(START + timedelta(hours=2)),
        }
    ]  # fmt: skip
    items = {item["id"]: item for item in scene.call("alice", "GET", "/security/requests").body["items"]}
    assert [other["id"] for other in items[asked]["others"]] == [first]
    assert items[first]["others"] == items[theirs]["others"] == []


def test_others_that_are_overdue(scene: InProcessStack) -> None:
    """A grant that could not be ended yet is live still."""
    first = scene.active(encryption_context={"tenant": "a"})
    scene.clock.sleep(3 * 3600)
    asked = scene.pending(encryption_context={"tenant": "c"})
    [other] = scene.call("alice", "GET", f"/security/requests/{asked}").body["others"]
    assert other["id"] == first


def test_safe_after(scene: InProcessStack) -> None:
    """Null while the grant lives; then five minutes after its end, and when it was seen gone."""
    request_id = scene.active()
    path = f"/requests/{request_id}"
    assert scene.call("partner", "GET", path).body["safe_after"] is None
    scene.release(request_id)
    scene.expire()
    ended = scene.call("partner", "GET", path).body
    assert (ended["absent_at"], ended["ended_at"]) == (None, time(START))
    assert ended["safe_after"] == time(START + timedelta(minutes=5))
    scene.later(7 * 60)
    gone = scene.call("partner", "GET", path).body
    assert gone["absent_at"] == gone["safe_after"] > ended["safe_after"]


def test_a_key_that_is_not_registered_any_more(scene: InProcessStack) -> None:
    """How many votes it would take is not known."""
    request_id = scene.pending()
    key = {"pk": {"S": f"key#{scene.key_arn}"}, "sk": {"S": "key"}}
    scene.tables.delete_item(TableName=scene.deployment.approval_table, Key=key)
    shown = scene.call("alice", "GET", f"/security/requests/{request_id}").body
    assert shown["votes"] == {"given": 0, "needed": None}


def test_revocation_without_a_body_for_delete(scene: InProcessStack) -> None:
    """POST …/revocation ends the grant as DELETE …/grant does, and takes the reason alike."""
    request_id = scene.active()
    path = f"/security/requests/{request_id}/revocation"
    assert scene.call("alice", "POST", path, {}).body["errors"][0]["field"] == "reason"
    revoked = scene.call("alice", "POST", path, {"reason": "incident 7"})
    assert (revoked.status, revoked.body["status"]) == (202, "ending")
    scene.expire()
    assert scene.call("alice", "GET", f"/security/requests/{request_id}").body["end_reason"] == "incident 7"
    again = scene.call("alice", "POST", path, {"reason": "incident 7"})
    assert (again.status, again.body["code"]) == (409, "conflict")
