"""Keys, standing approvals and accounts owe a look every so often; past its grace they cover nothing more."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.times import format_time
from grant_broker.reconcile.run import reconcile
from tests.local_stack.brokers import Answer
from tests.local_stack.people import DUTY_ROLE
from tests.support.scene import START, InProcessStack, time

DAY = timedelta(days=1)
ACCOUNT = "444455556666"
YEAR = {"valid_until": time(START + 360 * DAY)}


def owed(scene: InProcessStack, who: str = "bob") -> dict[tuple[str, str], dict[str, Any]]:
    """What is owed a look, by kind and id, as somebody sees it."""
    items: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "1"}
    while True:
        answer = scene.call(who, "GET", "/security/reviews", query=query)
        assert answer.status == 200
        items += answer.body["items"]
        if answer.body["cursor"] is None:
            return {(item["kind"], item["id"]): item for item in items}
        query["cursor"] = answer.body["cursor"]


def sign_off(
    scene: InProcessStack, kind: str, name: str, who: str = "bob", once: str | None = None
) -> Answer:
    """Sign something off."""
    return scene.call(who, "POST", f"/security/reviews/{kind}/{name}", {"comment": "still needed"}, once=once)


def name_account(scene: InProcessStack, name: str = "acme") -> int:
    """Name the partner's account."""
    return scene.call("alice", "PUT", f"/security/accounts/{ACCOUNT}", {"name": name}).status


def count(scene: InProcessStack) -> list[float]:
    """Run reconcile; how many looks it says are due."""
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    return scene.measured("ReviewsDue")


def test_each_kind(scene: InProcessStack) -> None:
    """All are listed from the day on which they are due, with who made them, until they are signed off."""
    scene.limit(review_every="P30D")
    older = scene.approve_ahead(**YEAR).body["id"]
    scene.clock.sleep(1)
    approval = scene.approve_ahead(**YEAR).body["id"]
    assert name_account(scene) == 201
    scene.clock.now = START + 30 * DAY
    assert list(owed(scene)) == [("key", scene.key_id)]
    scene.clock.now = START + 90 * DAY + timedelta(seconds=1)
    found = owed(scene)
    approvals = [("approval", approval), ("approval", older)]
    assert list(found) == [("key", scene.key_id), *approvals, ("account", ACCOUNT)]
    key, standing, _, account = found.values()
    assert (key["key"], key["account"], key["about"]) == (scene.key_arn, None, "partner_data")
    assert (standing["by"], standing["about"]) == (scene.credentials("alice").arn, "nightly loads")
    assert (account["key"], account["account"], account["about"]) == (None, ACCOUNT, "acme")
    assert standing["since"] == format_time(START + 90 * DAY + timedelta(seconds=1))
    for kind, name in found:
        answer = sign_off(scene, kind, name)
        assert (answer.status, answer.body["signed_off"]["comment"]) == (200, "still needed")
    assert owed(scene) == {}
    scene.clock.now += 30 * DAY
    assert list(owed(scene)) == [("key", scene.key_id)]


def test_nobody_signs_off_their_own(scene: InProcessStack) -> None:
    """Whoever made it, or changed it last, is told by `may_decide` and refused."""
    scene.limit(review_every="P30D")
    approval = scene.approve_ahead(**YEAR).body["id"]
    name_account(scene)
    scene.clock.now = START + 90 * DAY
    for kind, name in (("key", scene.key_id), ("approval", approval), ("account", ACCOUNT)):
        assert owed(scene, "alice")[kind, name]["may_decide"] is False
        assert owed(scene, "bob")[kind, name]["may_decide"] is True
        refused = sign_off(scene, kind, name, "alice")
        assert (refused.status, "nobody signs off their own" in refused.body["detail"]) == (403, True)
    assert scene.limit("bob", max_duration="PT1H", review_every="P30D").status == 200
    assert sign_off(scene, "key", scene.key_id, "alice").status == 200


def test_approvers_of_the_key(scene: InProcessStack) -> None:
    """What is a key's, its approvers look at; accounts are anybody's of the team."""
    [role] = [
        each.unique_id for each in scene.cloud.directory.principals.values() if each.arn.endswith(DUTY_ROLE)
    ]
    scene.limit(review_every="P30D", approvers=[role])
    scene.clock.now = START + 30 * DAY
    assert sign_off(scene, "key", scene.key_id, "bob").status == 403
    assert sign_off(scene, "key", scene.key_id, "duty").status == 200


def test_a_change_is_no_look(scene: InProcessStack) -> None:
    """What is changed stays due when it was; what is opened or named again begins anew."""
    scene.limit(review_every="P30D")
    name_account(scene)
    scene.clock.now = START + 20 * DAY
    scene.limit(review_every="P30D", max_duration="PT1H")
    name_account(scene, "acme-corp")
    scene.clock.now = START + 30 * DAY
    assert list(owed(scene)) == [("key", scene.key_id)]
    scene.clock.now = START + 90 * DAY
    assert list(owed(scene)) == [("key", scene.key_id), ("account", ACCOUNT)]
    scene.security("DELETE", "")
    scene.call("alice", "DELETE", f"/security/accounts/{ACCOUNT}")
    assert owed(scene) == {}
    assert sign_off(scene, "account", ACCOUNT).status == 404
    scene.limit(review_every="P30D")
    name_account(scene)
    assert owed(scene) == {}


def test_asked_for_later_it_ends_nothing_that_lives(scene: InProcessStack) -> None:
    """A key that owes looks from some day on has its grace from then; what was covered before lives on."""
    scene.clock.now = START + 40 * DAY
    scene.approve_ahead(**YEAR)
    live = scene.submit().body["id"]
    scene.clock.sleep(60)
    scene.limit(review_every="P10D")
    assert count(scene)[-1] == 1
    assert scene.status(live) == Status.ACTIVE
    assert scene.submit().body["status"] == Status.ACTIVE
    changed = scene.clock.now
    for days, every in ((13, "P5D"), (14, "P6D")):
        scene.clock.now = changed + days * DAY - timedelta(seconds=1)
        scene.limit(review_every=every)
        assert scene.submit().body["status"] == Status.ACTIVE
    scene.clock.sleep(1)
    assert scene.submit().body["status"] == Status.PENDING
    scene.limit(review_every="P7D")
    assert scene.submit().body["status"] == Status.PENDING


@pytest.mark.parametrize("late", ["key", "approval", "account"])
def test_past_its_grace_it_covers_nothing_more(scene: InProcessStack, late: str) -> None:
    """Until somebody has looked people vote, also on what waits to be taken up; what lives runs on."""
    scene.limit(review_every="P90D", max_duration="P9D")
    approval = scene.approve_ahead(**YEAR, max_duration="P9D").body["id"]
    name_account(scene)
    names = {"key": scene.key_id, "approval": approval, "account": ACCOUNT}
    scene.clock.now = START + 90 * DAY
    for kind in names.keys() - {late}:
        assert sign_off(scene, kind, names[kind]).status == 200
    scene.clock.now = START + 104 * DAY - timedelta(seconds=1)
    live = scene.submit(duration="PT1H", starts_at=None)
    later = scene.submit(
        starts_at=time(scene.clock.now + timedelta(minutes=1)), encryption_context={"tenant": "a"}
    )
    assert (live.body["status"], later.body["status"]) == ("active", "pending" if late else "approved")
    scene.clock.sleep(1)
    assert scene.submit().body["status"] == "pending"
    assert (
        scene.call("partner", "POST", "/requests", scene.submission(), query={"dry_run": "true"}).body[
            "outcome"
        ]
        == "wait_for_approval"
    )
    assert count(scene)[-1] == 1
    assert scene.status(live.body["id"]) == Status.ACTIVE
    assert sign_off(scene, late, names[late]).status == 200
    assert scene.submit().body["status"] == "active"


def test_an_earlier_look_ends_nothing_that_lives(scene: InProcessStack) -> None:
    """Looks asked for sooner than before are due at once; nobody is late for one before it was asked for."""
    scene.approve_ahead(**YEAR)
    scene.clock.now = START + 80 * DAY
    live = scene.submit().body["id"]
    scene.clock.now += timedelta(minutes=5)
    scene.limit(review_every="P30D")
    assert [kind for kind, _ in owed(scene)] == ["key"]
    assert count(scene)[-1] == 1
    assert scene.status(live) == Status.ACTIVE
    assert scene.submit().body["status"] == "active"
    scene.clock.now += 14 * DAY
    assert scene.submit().body["status"] == "pending"
    scene.limit(review_every="P29D")
    assert scene.submit().body["status"] == "pending"


def test_taken_up_too_late(scene: InProcessStack) -> None:
    """What was approved ahead before the grace was over is not taken up after it."""
    scene.limit(review_every="P90D")
    scene.approve_ahead(**YEAR)
    scene.clock.now = START + 90 * DAY
    for kind, name in owed(scene):
        if kind == "approval":
            sign_off(scene, kind, name)
    scene.clock.now = START + 104 * DAY - timedelta(minutes=10)
    request = scene.submit(starts_at=time(scene.clock.now + timedelta(minutes=5)))
    assert request.body["status"] == "approved"
    scene.clock.sleep(600)
    answer = scene.take_up(request.body["id"])
    assert (answer.status, "review of the key" in answer.body["detail"]) == (409, True)


@pytest.mark.parametrize("late", ["key", "account"])
def test_reconcile_ends_what_was_not_covered(scene: InProcessStack, late: str) -> None:
    """A grant that was made by a standing approval when nobody had looked for too long ends, as drift."""
    scene.limit(review_every="P90D")
    scene.approve_ahead(**YEAR)
    name_account(scene)
    request_id = scene.submit().body["id"]
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    assert scene.status(request_id) == Status.ACTIVE
    subject = f"key#{scene.key_arn}" if late == "key" else f"account#{ACCOUNT}"
    table = scene.deployment.approval_table
    place = {"pk": {"S": subject}, "sk": {"S": late}}
    item = scene.tables.get_item(TableName=table, Key=place)["Item"]
    scene.put(table, {**item, "unreviewed_after": {"S": format_time(START - DAY)}})
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    assert scene.measured("DriftFound") == [0, 1]
    assert scene.status(request_id) == Status.ENDING


def test_idempotency(scene: InProcessStack) -> None:
    """The same call again signs off once; another is one more look."""
    scene.limit(review_every="P30D")
    scene.clock.now = START + 30 * DAY
    first = sign_off(scene, "key", scene.key_id, once="a")
    scene.clock.sleep(5)
    again = sign_off(scene, "key", scene.key_id, once="a")
    assert (first.status, again.status) == (200, 200)
    assert first.body["signed_off"]["at"] == again.body["signed_off"]["at"]
    events = scene.call("alice", "GET", "/security/events", query={"type": "reviewed"}).body["items"]
    assert [event["detail"] for event in events] == [{"review": "key", "comment": "still needed"}]
    other = sign_off(scene, "key", scene.key_id, "carol", once="a")
    events = scene.call("alice", "GET", "/security/events", query={"type": "reviewed"}).body["items"]
    assert (other.status, [event["by"] for event in events]) == (
        200,
        [scene.credentials(who).arn for who in ("bob", "carol")],
    )


@pytest.mark.parametrize(
    ("kind", "name", "status"),
    [
        ("key", "no-such-key", 404),
        ("approval", "nothing", 404),
        ("account", "777788889999", 404),
        ("other", "x", 404),
    ],
)
def test_no_such_review(scene: InProcessStack, kind: str, name: str, status: int) -> None:
    """What is not there owes nothing."""
    assert sign_off(scene, kind, name).status == status


def test_what_owes_none(scene: InProcessStack) -> None:
    """A key without `review_every` owes no look."""
    answer = sign_off(scene, "key", scene.key_id)
    assert (answer.status, answer.body["detail"]) == (409, "it owes no review")
    assert scene.call("bob", "GET", "/security/reviews").body["items"] == []


def test_counted_once_an_hour_and_told_once(scene: InProcessStack) -> None:
    """Reconcile measures what is due in each run, and tells of it by one event until that changes."""
    scene.limit(review_every="P30D")
    assert count(scene) == [0]
    scene.clock.now = START + 30 * DAY
    assert count(scene)[-1] == 1
    scene.clock.advance(minutes=61)
    assert count(scene)[-1] == 1
    scene.clock.advance(minutes=5)
    sign_off(scene, "key", scene.key_id)
    assert count(scene)[-1] == 1
    scene.clock.advance(minutes=56)
    assert count(scene)[-1] == 0
    events = scene.call("alice", "GET", "/security/events", query={"type": "reviews_due"}).body["items"]
    assert [event["detail"] for event in events] == [{"owed": 1, "shown": [f"key#{scene.key_arn}"]}]


def test_what_is_named_no_more(scene: InProcessStack) -> None:
    """An account that was named once owes no look, and what is approved for it covers as if it never was."""
    name_account(scene)
    assert scene.call("alice", "DELETE", f"/security/accounts/{ACCOUNT}").status == 204
    scene.approve_ahead(**YEAR)
    [approval] = scene.brokers.broker("approvals").store.lists.list_approvals(limit=5, after=None).records
    scene.clock.now = START + 200 * DAY
    sign_off(scene, "approval", approval.id)
    assert scene.submit().body["status"] == Status.ACTIVE
