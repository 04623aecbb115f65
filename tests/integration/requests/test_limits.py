"""Abuse limits through the handlers, on the deployed template in this process."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.expiry.steps import act
from grant_broker.requests import quotas as limits
from tests.local_aws.cloud import Cloud, Credentials
from tests.local_stack.brokers import Answer, Brokers
from tests.local_stack.deployment import Deployment
from tests.support.limits import WHOLE

START = datetime(2030, 1, 1, 0, 0, 20, tzinfo=UTC)


class World:
    """A deployment with small limits, its clock, and who calls."""

    def __init__(self, **parameters: str) -> None:
        self.now = START
        self.deployment = Deployment.create(Cloud(lambda: self.now), parameters=parameters)
        self.brokers = Brokers(self.deployment, lambda: self.now, lambda _seconds: None)
        document = WHOLE
        key = self.deployment.keys["partner_data"].rpartition("/")[2]
        assert self.call("alice", "PUT", f"/security/keys/{key}", document).status == 201

    def who(self, name: str) -> Credentials:
        """Somebody's credentials."""
        return self.deployment.people[name].credentials

    def call(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One call."""
        return self.brokers.call(self.who(who), method, path, body, **more)

    def submit(self, who: str = "partner", *, key: str | None = None, grantee: str | None = None) -> Answer:
        """Submit a good request; `key`: the idempotency key."""
        body = {
            "key": "partner_data", "grantee": self.deployment.people[grantee or who].grantee,
            "operations": ["Encrypt"], "encryption_context": {"a": "b"}, "duration": "PT2H", "reason": "x",
        }  # fmt: skip
        return self.call(who, "POST", "/requests", body, headers={"Idempotency-Key": key} if key else None)

    def stored(self) -> list[dict[str, Any]]:
        """The items of the request table, without the counters."""
        client = self.deployment.cloud.session(self.deployment.cloud.root()).client("dynamodb")
        items = client.scan(TableName=self.deployment.request_table)["Items"]
        return [item for item in items if not item["pk"]["S"].startswith("limit#")]

    def counters(self) -> list[dict[str, Any]]:
        """The counters."""
        client = self.deployment.cloud.session(self.deployment.cloud.root()).client("dynamodb")
        items = client.scan(TableName=self.deployment.request_table)["Items"]
        return [item for item in items if item["pk"]["S"].startswith("limit#")]


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    """Makes the world; moto is empty afterwards."""
    yield World
    moto_api_backend.reset()


def assert_refused(answer: Answer, *, retry_after: int, words: str) -> None:
    """429, with the wait and the reason."""
    assert (answer.status, answer.body["code"]) == (429, "too_many_requests")
    assert answer.headers["Retry-After"] == str(retry_after)
    assert words in answer.body["detail"]


def test_an_account_is_refused_until_the_next_minute(world: Callable[..., World]) -> None:
    """Above its calls a minute an account is told 429 and when to try again, and nothing is stored."""
    scene = world(SubmissionsPerMinute="2")
    assert [scene.submit().status for _ in range(2)] == [201, 201]
    before = scene.stored()
    assert_refused(scene.submit("partner_colleague"), retry_after=40, words="2 submissions and dry runs")
    assert scene.stored() == before
    scene.now += timedelta(seconds=40)
    assert scene.submit().status == 201


def test_what_is_refused_for_its_limits_is_counted_too(world: Callable[..., World]) -> None:
    """A flood of submissions outside the key's limits costs reads, so it counts; a malformed one does not."""
    scene = world(SubmissionsPerMinute="2")
    assert scene.submit(grantee="other_partner").status == 400
    assert scene.call("partner", "POST", "/requests", {"reason": 1}).status == 400
    assert scene.submit().status == 201
    assert scene.submit().status == 429


def test_a_flood_of_one_account_leaves_the_others_alone(world: Callable[..., World]) -> None:
    """Neither the count of a minute nor the open requests of one account count for another."""
    scene = world(SubmissionsPerMinute="1", OpenPerAccount="1")
    assert [scene.submit().status for _ in range(3)] == [201, 429, 429]
    assert scene.submit("other_partner").status == 201


def test_a_repeat_of_what_is_stored_is_never_refused(world: Callable[..., World]) -> None:
    """The same idempotency key and body get the stored request, with every limit reached."""
    scene = world(SubmissionsPerMinute="1", OpenPerAccount="1", PendingPerAccount="1", OpenPerGrantee="1")
    first = scene.submit(key="once")
    again = scene.submit(key="once")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert scene.submit(key="other").status == 429


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("OpenPerAccount", "your account has 2 open requests"),
        ("OpenPerGrantee", "the grantee has 2 open requests"),
        ("PendingPerAccount", "2 requests of your account wait for a decision"),
    ],
)
def test_open_requests_are_limited_until_one_is_closed(
    world: Callable[..., World], limit: str, words: str
) -> None:
    """At each limit a submission is refused and stores nothing; one withdrawn makes room at once."""
    scene = world(**{limit: "2", "AnswerWithin": "100"})
    first = scene.submit()
    assert scene.submit().status == 201
    before = scene.stored()
    assert_refused(scene.submit(), retry_after=100, words=words)
    assert scene.stored() == before
    assert scene.call("partner", "DELETE", f"/requests/{first.body['id']}").status == 200
    assert scene.submit().status == 201


def test_what_nobody_answers_makes_room_by_lapsing(world: Callable[..., World]) -> None:
    """Open requests cannot pile up: those that nobody answered lapse, and count no more."""
    scene = world(PendingPerAccount="1", AnswerWithin="100")
    waiting = scene.submit()
    assert scene.submit().status == 429
    scene.now += timedelta(seconds=101)
    expiry = scene.brokers.broker("expiry")
    due = list(expiry.store.agenda.list_due(int(scene.now.timestamp())))
    assert [request.id for request in due] == [waiting.body["id"]]
    assert act(expiry, waiting.body["id"])
    assert scene.submit().status == 201


def test_live_grants_are_open_and_ended_ones_are_not(world: Callable[..., World]) -> None:
    """A grant counts until its end, and no longer."""
    scene = world(OpenPerGrantee="1")
    made = scene.submit()
    path = f"/security/requests/{made.body['id']}/decision"
    assert scene.call("alice", "POST", path, {"verdict": "approve"}).status == 200
    assert scene.submit().status == 429
    assert scene.call("partner", "POST", f"/requests/{made.body['id']}/grant").status == 201
    assert scene.submit().status == 429
    assert scene.submit("partner_colleague").status == 201
    assert scene.call("partner", "DELETE", f"/requests/{made.body['id']}/grant").status == 202
    assert act(scene.brokers.broker("expiry"), made.body["id"], early=True)
    assert scene.submit().status == 201


def test_a_covered_submission_does_not_wait_in_the_full_queue(world: Callable[..., World]) -> None:
    """The queue's limit is for what people must look at: what a standing approval covers goes through."""
    scene = world(PendingPerAccount="1")
    assert scene.submit().status == 201
    approval = {
        "key": "partner_data", "account": "444455556666", "operations": ["Encrypt"],
        "encryption_context": {"a": "b"}, "max_duration": "PT2H",
        "valid_until": "2030-02-01T00:00:00Z", "reason": "x",
    }  # fmt: skip
    assert scene.call("alice", "POST", "/security/approvals", approval).status == 201
    assert scene.submit().body["status"] == "active"


def test_counters_expire_by_themselves_and_nothing_else_does(world: Callable[..., World]) -> None:
    """A counter carries the attribute that DynamoDB deletes by; no request and no event carries it."""
    scene = world()
    assert scene.submit().status == 201
    [counter] = scene.counters()
    assert counter["pk"]["S"] == f"limit#444455556666#{int(START.timestamp()) // 60}"
    assert 3540 <= int(counter["expires"]["N"]) - START.timestamp() <= 3600
    assert not [item for item in scene.stored() if "expires" in item]


def test_the_count_of_open_requests_reads_no_more_than_the_limit(world: Callable[..., World]) -> None:
    """However many an account held open when the limit was lowered, one count reads as many as the limit."""
    scene = world()
    assert [scene.submit().status for _ in range(5)] == [201] * 5
    broker = scene.brokers.broker("requests")
    assert len(list(broker.store.lists.list_open("444455556666", limit=3))) == 3
    assert limits.find_refusal(broker, account="444455556666", grantee="x", waits=False) is None


def test_one_accounts_list_does_not_read_anothers_requests(world: Callable[..., World]) -> None:
    """The security team finds an account's requests at once, whatever another account has sent since."""
    scene = world()
    theirs = scene.submit("other_partner")
    for _ in range(25):
        scene.submit()
    for query in ({"account": "666677778888"}, {"account": "666677778888", "status": "pending"}):
        found = scene.call("alice", "GET", "/security/requests", query={**query, "limit": "1"})
        assert [item["id"] for item in found.body["items"]] == [theirs.body["id"]]
    none = scene.call(
        "alice", "GET", "/security/requests", query={"account": "666677778888", "status": "denied"}
    )
    assert none.body == {"items": [], "cursor": None}
