"""What a third party may ask for, and what becomes of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Action, Status
from tests.support.scene import START, InProcessStack, time

LONG_PAST = "2029-01-01T00:00:00Z"


def test_waits_for_a_decision(scene: InProcessStack) -> None:
    """A submission that no standing approval covers is stored as pending, with answer_by and an event."""
    answer = scene.submit(ticket="SEC-1")
    assert answer.status == 201
    assert answer.headers["Location"] == f"/live/requests/{answer.body['id']}"
    expected = {
        "status": "pending", "grantee": scene.grantee("partner"), "key": scene.key_arn,
        "operations": ["Encrypt"], "encryption_context": {"tenant": "a"}, "context_match": "equals",
        "duration": "PT2H", "starts_at": None, "reason": "nightly load", "ticket": "SEC-1", "extends": None,
        "created_at": time(START), "answer_by": time(START + timedelta(days=3)), "take_up_by": None,
        "expires_at": None, "ended_at": None, "end_reason": None, "decisions": [], "approval": None,
        "grant": None, "requester": {"arn": scene.credentials("partner").arn, "account": "444455556666"},
    }  # fmt: skip
    assert {name: answer.body[name] for name in expected} == expected
    assert scene.trail(answer.body["id"]) == ["submitted"]
    assert scene.grants() == []


def test_a_standing_approval_grants_at_once(scene: InProcessStack) -> None:
    """Covered and with no later start: the answer holds the active grant, its token, and the approval."""
    approval = scene.approve_ahead().body["id"]
    answer = scene.submit()
    assert (answer.status, answer.body["status"], answer.body["approval"]) == (201, "active", approval)
    [grant] = scene.grants()
    shown = answer.body["grant"]
    assert shown["grant_id"] == grant["GrantId"]
    assert shown["grant_token"]
    assert shown["expires_at"] == answer.body["expires_at"] == time(START + timedelta(hours=2))
    assert grant["Name"] == f"grant-broker/{answer.body['id']}/{int(START.timestamp()) + 7200}"
    assert grant["Constraints"] == {"EncryptionContextEquals": {"tenant": "a"}}
    assert grant["Operations"] == ["Encrypt"]
    assert grant["GranteePrincipal"] == scene.grantee("partner")
    assert grant["RetiringPrincipal"] == scene.brokers.broker("requests").settings.retiring_principal
    assert scene.trail(answer.body["id"]) == ["submitted", "issuing", "active"]


@pytest.mark.parametrize(
    "changes",
    [
        {"operations": ["Encrypt", "GenerateDataKey"]},
        {"encryption_context": {"tenant": "b"}},
        {"context_match": "subset"},
        {"duration": "PT5H"},
        {"grantee": "arn:aws:iam::444455556666:role/partner-colleague"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_exceeds_the_standing_approval_waits(scene: InProcessStack, changes: dict[str, Any]) -> None:
    """One operation, pair, match, hour or grantee more than was approved ahead, and people must decide."""
    scene.approve_ahead(grantee=scene.grantee("partner"))
    answer = scene.submit(**changes)
    assert (answer.status, answer.body["status"], answer.body["approval"]) == (201, "pending", None)
    assert scene.grants() == []


def test_a_subset_approval_covers_every_context_that_contains_it(scene: InProcessStack) -> None:
    """Set inclusion: `subset C` covers equals and subset of any context with C in it, and no other."""
    scene.approve_ahead(context_match="subset")
    more = {"tenant": "a", "table": "t"}
    assert scene.submit(encryption_context=more).body["status"] == "active"
    assert scene.submit(encryption_context=more, context_match="subset").body["status"] == "active"
    assert scene.submit(encryption_context={"table": "t"}).body["status"] == "pending"


def test_a_later_start_is_approved_and_waits(scene: InProcessStack) -> None:
    """Covered but for later: approved, without a grant, to be taken up within a day of its start."""
    scene.approve_ahead(valid_until=time(START + timedelta(days=3)))
    starts = START + timedelta(hours=3)
    answer = scene.submit(starts_at=time(starts))
    assert (answer.body["status"], answer.body["grant"]) == ("approved", None)
    assert answer.body["take_up_by"] == time(starts + timedelta(days=1))
    assert scene.grants() == []


def test_what_is_approved_ahead_is_taken_up_before_its_approval_runs_out(scene: InProcessStack) -> None:
    """It says until when, and is refused from then on: a grant is covered by what holds when it is made."""
    until = START + timedelta(hours=4)
    scene.approve_ahead(valid_until=time(until))
    starts = START + timedelta(hours=3)
    made = [scene.submit(starts_at=time(starts)).body for _ in range(2)]
    assert {each["take_up_by"] for each in made} == {time(until)}
    scene.clock.now = until - timedelta(seconds=1)
    assert scene.take_up(made[0]["id"]).status == 201
    scene.clock.now = until
    answer = scene.take_up(made[1]["id"])
    assert (answer.status, answer.body["detail"]) == (
        409,
        "the request is approved, but was not taken up in time",
    )


def test_an_earlier_release_approved_it_for_longer(scene: InProcessStack) -> None:
    """A stored deadline does not outlast the approval that it rests on."""
    until = START + timedelta(hours=4)
    scene.approve_ahead(valid_until=time(until))
    request_id = scene.submit(starts_at=time(START + timedelta(hours=3))).body["id"]
    scene.alter(request_id, take_up_by={"S": time(until + timedelta(hours=20))})
    scene.clock.now = until
    answer = scene.take_up(request_id)
    assert (answer.status, scene.grants()) == (409, [])
    assert "no longer valid" in answer.body["detail"]


@pytest.mark.parametrize("seconds", [0, 30, 60])
def test_a_start_within_the_last_minute_is_now(scene: InProcessStack, seconds: int) -> None:
    """A clock that runs a little behind is no later start: the grant is made at once."""
    scene.approve_ahead()
    answer = scene.submit(starts_at=time(START - timedelta(seconds=seconds)))
    assert (answer.status, answer.body["status"]) == (201, "active")


@pytest.mark.parametrize("offset", [timedelta(seconds=-61), timedelta(days=30, seconds=1)])
def test_a_start_outside_the_window(scene: InProcessStack, offset: timedelta) -> None:
    """Long past or more than 30 days ahead: refused, naming the field, and nothing stored."""
    answer = scene.submit(starts_at=time(START + offset))
    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == ["starts_at"]
    assert scene.stored() == []


def test_the_start_must_lie_in_the_approval_s_window(scene: InProcessStack) -> None:
    """It is the start that an approval's validity is about, not the submission."""
    scene.approve_ahead(valid_until=time(START + timedelta(hours=1)))
    before = scene.submit(starts_at=time(START + timedelta(minutes=59)))
    after = scene.submit(starts_at=time(START + timedelta(hours=1)))
    assert (before.body["status"], after.body["status"]) == ("approved", "pending")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"operations": ["Decrypt"]}, ["operations"]),
        ({"duration": "PT9H"}, ["duration"]),
        ({"grantee": "arn:aws:iam::666677778888:role/other-application"}, ["grantee"]),
        ({"grantee": "arn:aws-cn:iam::444455556666:role/partner-application"}, ["grantee"]),
        ({"key": "nothing"}, ["key"]),
        ({"key": "arn:aws:kms:eu-central-1:111122223333:key/nothing"}, ["key"]),
        (
            {"key": "nothing", "grantee": "arn:aws:iam::666677778888:role/x", "starts_at": LONG_PAST},
            ["key", "grantee", "starts_at"],
        ),
    ],
)  # fmt: skip
def test_outside_the_limits(scene: InProcessStack, changes: dict[str, Any], fields: list[str]) -> None:
    """Refused with every fault at once, each naming its field; nothing is stored."""
    answer = scene.submit(**changes)
    assert (answer.status, answer.body.get("code")) == (400, "invalid_request"), answer.body
    assert [error["field"] for error in answer.body["errors"]] == fields
    assert scene.stored() == []


def test_the_smallest_duration(scene: InProcessStack) -> None:
    """The stack's own limit below the key's."""
    settings = scene.brokers.broker("requests").settings
    assert settings.smallest_duration == 1
    with_more = settings.model_copy(update={"smallest_duration": 300})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(scene.brokers._made, "requests", _with(scene, with_more))  # noqa: SLF001
        answer = scene.submit(duration="PT299S")
    assert answer.body["errors"] == [{"field": "duration", "message": "at least PT5M"}]


def test_context_limits_of_the_key(scene: InProcessStack) -> None:
    """The required pairs, with the account filled in, and equals only, where the key says so."""
    scene.limit(required_context={"tenant": "${account}"}, context_match="equals")
    answer = scene.submit(context_match="subset")
    assert [error["field"] for error in answer.body["errors"]] == ["encryption_context", "context_match"]
    assert scene.submit(encryption_context={"tenant": "444455556666", "more": "x"}).status == 201
    refused = scene.submit(
        "other_partner", grantee=scene.grantee("other_partner"), encryption_context={"tenant": "444455556666"}
    )
    assert [error["field"] for error in refused.body["errors"]] == ["encryption_context"]


def test_a_key_that_is_not_open_looks_like_one_that_is_not_there(scene: InProcessStack) -> None:
    """The same answer for a key of others, a closed one, and none: nobody finds out what is registered."""
    unknown = scene.submit(key="nothing").body
    scene.limit(accounts=["666677778888"])
    assert scene.submit().body == scene.submit(key=scene.key_arn).body == unknown
    scene.limit()
    assert scene.submit().status == 201
    assert scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}").status == 204
    assert scene.submit().body == unknown


def test_a_name_that_moved_on(scene: InProcessStack) -> None:
    """A name that a key gave up no longer leads to it; its ARN and its new name do."""
    scene.limit(name="renamed")
    assert scene.submit().status == 400
    assert scene.submit(key="renamed").status == scene.submit(key=scene.key_arn).status == 201


def test_an_account_that_is_not_trusted(scene: InProcessStack) -> None:
    """Refused whatever it sends, before anything of it is read."""
    answer = scene.call("outsider", "POST", "/requests", {"unknown": 1}, query={"also": "unknown"})
    assert (answer.status, answer.body["code"]) == (403, "not_permitted")


def test_the_home_account_is_a_third_party_where_the_key_lists_it(scene: InProcessStack) -> None:
    """Open to it only once `accounts` says so."""
    mine = {"grantee": scene.grantee("data_reader")}
    assert scene.submit("key_admin", **mine).status == 400
    scene.limit(accounts=["111122223333"])
    assert scene.submit("key_admin", **mine).status == 201


def test_nobody_answers(scene: InProcessStack) -> None:
    """A request that is decided by nobody lapses at its answer_by, and cannot be approved any more."""
    request_id = scene.pending()
    stored = scene.request(request_id)
    assert (stored.action, stored.due) == (Action.LAPSE, int((START + timedelta(days=3)).timestamp()))
    scene.clock.now = START + timedelta(days=3)
    late = scene.decide(request_id)
    assert (late.status, late.body["detail"]) == (409, "the request is pending, past its answer_by")
    scene.expire()
    assert scene.status(request_id) == Status.LAPSED
    assert scene.decide(request_id).body["detail"] == "the request is lapsed"
    assert scene.trail(request_id) == ["submitted", "lapsed"]


def _with(scene: InProcessStack, settings: Any) -> Any:
    broker = scene.brokers.broker("requests")
    return replace(broker, settings=settings)
