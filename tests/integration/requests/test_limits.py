"""Abuse limits through the handlers, on the deployed template in this process."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.aws.attributes import plain
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.submission import Submission
from grant_broker.expiry.steps import act
from grant_broker.requests import quotas as limits
from tests.integration.requests.test_dry_runs import tried
from tests.local_stack.brokers import Answer
from tests.support import scene as stacks
from tests.support.scene import InProcessStack

START = stacks.START + timedelta(seconds=20)
Deploy = Callable[..., InProcessStack]


@pytest.fixture
def limited(deploy: Deploy) -> Deploy:
    """Deploys with small limits, 40 seconds before the next minute."""

    def at_start(**parameters: str) -> InProcessStack:
        scene = deploy(**parameters)
        scene.clock.now = START
        return scene

    return at_start


def stored(scene: InProcessStack) -> list[dict[str, Any]]:
    """The items of the request table, without the counters."""
    items = scene.tables.scan(TableName=scene.deployment.request_table)["Items"]
    return [item for item in items if not item["pk"]["S"].startswith("limit#")]


def counters(scene: InProcessStack) -> list[dict[str, Any]]:
    """The counters."""
    items = scene.tables.scan(TableName=scene.deployment.request_table)["Items"]
    return [item for item in items if item["pk"]["S"].startswith("limit#")]


def assert_refused(answer: Answer, *, retry_after: int, words: str) -> None:
    """429, with the wait and the reason."""
    assert (answer.status, answer.body["code"]) == (429, "too_many_requests")
    assert answer.headers["Retry-After"] == str(retry_after)
    assert words in answer.body["detail"]


def test_an_account_is_refused_until_the_next_minute(limited: Deploy) -> None:
    """Above its calls a minute an account is told 429 and when to try again, and nothing is stored."""
    scene = limited(SubmissionsPerMinute="2")
    assert [scene.submit().status for _ in range(2)] == [201, 201]
    before = stored(scene)
    assert_refused(
        scene.submit("partner_colleague", grantee=scene.grantee("partner_colleague")),
        retry_after=40,
        words="2 submissions and dry runs",
    )
    assert stored(scene) == before
    scene.clock.sleep(40)
    assert scene.submit().status == 201


def test_an_account_is_refused_until_the_next_hour(limited: Deploy) -> None:
    """Above its bytes an hour an account is told 429 and when to try again; another one is not."""
    scene = limited(StoredBytesPerHour="200000")
    large: dict[str, Any] = {
        "reason": "r" * 1000,
        "encryption_context": {f"k{n}": "v" * 380 for n in range(8)},
    }
    size = Submission.model_validate_json(json.dumps(scene.submission(**large))).stored_size
    fit = 200_000 // size
    made = [scene.submit(**large) for _ in range(fit)]
    assert {answer.status for answer in made} == {201}
    # What is withdrawn stays stored.
    assert scene.call("partner", "DELETE", f"/requests/{made[0].body['id']}").status == 200
    before = stored(scene)
    refused = scene.submit(**large)
    assert_refused(refused, retry_after=3600 - int(scene.clock.now.timestamp()) % 3600, words="200000 bytes")
    assert stored(scene) == before
    assert scene.submit("other_partner", grantee=scene.grantee("other_partner"), **large).status == 201
    # Neither asks for storage.
    dry = scene.call("partner", "POST", "/requests", scene.submission(**large), query={"dry_run": "true"})
    assert dry.status == 200
    scene.clock.sleep(int(refused.headers["Retry-After"]))
    assert scene.submit(**large).status == 201


@pytest.mark.parametrize("large", [False, True])
def test_what_is_counted_is_what_is_stored(limited: Deploy, *, large: bool) -> None:
    """A request's items at the end of its life take no more than was counted, and not much less."""
    scene = limited()
    pairs = {f"k{n}": "ü" * 190 for n in range(8)} if large else {"tenant": "a"}
    sent = scene.submission(encryption_context=pairs, reason="r" * (1000 if large else 12))
    counted = Submission.model_validate_json(json.dumps(sent)).stored_size
    made = scene.call("partner", "POST", "/requests", sent)
    path = f"/requests/{made.body['id']}"
    assert scene.call("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}).status == 200
    assert scene.take_up(made.body["id"]).status == 201
    scene.release(made.body["id"])
    scene.expire(2)
    assert scene.status(made.body["id"]) == Status.RELEASED
    size = sum(len(json.dumps(plain(item), ensure_ascii=False).encode()) for item in scene.stored())
    assert counted / 2 < size <= counted


def test_what_is_refused_for_its_limits_is_counted_too(limited: Deploy) -> None:
    """A flood of submissions outside the key's limits costs reads, so it counts; a malformed one does not."""
    scene = limited(SubmissionsPerMinute="2")
    assert scene.submit(grantee=scene.grantee("other_partner")).status == 400
    assert scene.call("partner", "POST", "/requests", {"reason": 1}).status == 400
    assert scene.submit().status == 201
    assert scene.submit().status == 429


def test_a_flood_of_one_account_leaves_the_others_alone(limited: Deploy) -> None:
    """Neither the count of a minute nor the open requests of one account count for another."""
    scene = limited(SubmissionsPerMinute="1", OpenPerAccount="1")
    assert [scene.submit().status for _ in range(3)] == [201, 429, 429]
    assert scene.submit("other_partner", grantee=scene.grantee("other_partner")).status == 201


def test_a_repeat_of_what_is_stored_is_never_refused(limited: Deploy) -> None:
    """The same idempotency key and body get the stored request, with every limit reached."""
    scene = limited(SubmissionsPerMinute="1", OpenPerAccount="1", PendingPerAccount="1", OpenPerGrantee="1")
    first = scene.submit(once="once")
    again = scene.submit(once="once")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert scene.submit(once="other").status == 429


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("OpenPerAccount", "your account has 2 open requests"),
        ("OpenPerGrantee", "the grantee has 2 open requests"),
        ("PendingPerAccount", "2 requests of your account wait for a decision"),
    ],
)
def test_open_requests_are_limited_until_one_is_closed(limited: Deploy, limit: str, words: str) -> None:
    """At each limit a submission is refused and stores nothing; one withdrawn makes room at once."""
    scene = limited(**{limit: "2", "AnswerWithin": "100"})
    first = scene.submit()
    assert scene.submit().status == 201
    before = stored(scene)
    assert_refused(scene.submit(), retry_after=100, words=words)
    assert stored(scene) == before
    assert scene.call("partner", "DELETE", f"/requests/{first.body['id']}").status == 200
    assert scene.submit().status == 201


def test_what_nobody_answers_makes_room_by_lapsing(limited: Deploy) -> None:
    """Open requests cannot pile up: those that nobody answered lapse, and count no more."""
    scene = limited(PendingPerAccount="1", AnswerWithin="100")
    waiting = scene.submit()
    assert scene.submit().status == 429
    scene.clock.sleep(101)
    expiry = scene.brokers.broker("expiry")
    assert [request.id for request in scene.due()] == [waiting.body["id"]]
    assert act(expiry, waiting.body["id"])
    assert scene.submit().status == 201


def test_live_grants_are_open_and_ended_ones_are_not(limited: Deploy) -> None:
    """A grant counts until its end, and no longer."""
    scene = limited(OpenPerGrantee="1")
    made = scene.submit()
    path = f"/security/requests/{made.body['id']}/decision"
    assert scene.call("alice", "POST", path, {"verdict": "approve"}).status == 200
    assert scene.submit().status == 429
    assert scene.call("partner", "POST", f"/requests/{made.body['id']}/grant").status == 201
    assert scene.submit().status == 429
    assert scene.submit("partner_colleague", grantee=scene.grantee("partner_colleague")).status == 201
    assert scene.call("partner", "DELETE", f"/requests/{made.body['id']}/grant").status == 202
    assert act(scene.brokers.broker("expiry"), made.body["id"], early=True)
    assert scene.submit().status == 201


def test_a_covered_submission_does_not_wait_in_the_full_queue(limited: Deploy) -> None:
    """The queue's limit is for what people must look at: what a standing approval covers goes through."""
    scene = limited(PendingPerAccount="1")
    assert scene.submit().status == 201
    assert scene.approve_ahead().status == 201
    assert scene.submit().body["status"] == "active"


def test_counters_expire_by_themselves_and_nothing_else_does(limited: Deploy) -> None:
    """A counter carries the attribute that DynamoDB deletes by; no request and no event carries it."""
    scene = limited()
    assert scene.submit().status == 201
    [counter] = counters(scene)
    assert counter["pk"]["S"] == f"limit#444455556666#{int(START.timestamp()) // 3600}"
    assert 3540 <= int(counter["expires"]["N"]) - START.timestamp() <= 3600
    assert not [item for item in stored(scene) if "expires" in item]


def test_the_count_of_open_requests_reads_no_more_than_the_limit(limited: Deploy) -> None:
    """However many an account held open when the limit was lowered, one count reads as many as the limit."""
    scene = limited()
    assert [scene.submit().status for _ in range(5)] == [201] * 5
    broker = scene.brokers.broker("requests")
    assert len(list(broker.store.lists.list_open("444455556666", limit=3))) == 3
    assert limits.find_refusal(broker, [], grantee="x", waits=False) is None


def test_one_accounts_list_does_not_read_anothers_requests(limited: Deploy) -> None:
    """The security team finds an account's requests at once, whatever another account has sent since."""
    scene = limited()
    theirs = scene.submit("other_partner", grantee=scene.grantee("other_partner"))
    for _ in range(25):
        scene.submit()
    for query in ({"account": "666677778888"}, {"account": "666677778888", "status": "pending"}):
        found = scene.call("alice", "GET", "/security/requests", query={**query, "limit": "1"})
        assert [item["id"] for item in found.body["items"]] == [theirs.body["id"]]
    none = scene.call(
        "alice", "GET", "/security/requests", query={"account": "666677778888", "status": "denied"}
    )
    assert none.body == {"items": [], "cursor": None}


def test_without_room_a_dry_run_says_so(limited: Deploy) -> None:
    """An account that holds as many open requests as it may would be refused; calls count, too."""
    scene = limited(OpenPerAccount="1", SubmissionsPerMinute="3")
    assert scene.submit().status == 201
    assert tried(scene)["outcome"] == "refuse"
    tried(scene)
    again = scene.call("partner", "POST", "/requests", scene.submission(), query={"dry_run": "true"})
    assert (again.status, again.body["code"]) == (429, "too_many_requests")


def test_an_extension_counts_as_a_submission(deploy: Deploy) -> None:
    """It is a call of the account's minute, and one more open request."""
    scene = deploy(OpenPerGrantee="2", SubmissionsPerMinute="3")
    old = scene.active()
    assert scene.extend(old).status == 201
    full, often = scene.extend(old), scene.extend(old)
    assert (full.status, "2 open requests" in full.body["detail"]) == (429, True)
    assert (often.status, "3 submissions" in often.body["detail"]) == (429, True)
