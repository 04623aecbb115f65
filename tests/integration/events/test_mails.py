"""What of a request's life is mailed: all of it where people decide, exceptions where nobody has to."""

import pytest

from grant_broker.aws.attributes import plain
from grant_broker.aws.items import record_of
from grant_broker.domain.notices import Notice, notice_of
from grant_broker.domain.trail import Event
from tests.support.scene import InProcessStack


@pytest.fixture
def scene(deployed: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> InProcessStack:
    """The deployment, empty; nobody waits between attempts for real."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    deployed.reset()
    return deployed


def _notices(scene: InProcessStack, request_id: str) -> list[Notice]:
    """What is mailed about a request, in the order of its trail."""
    trail = scene.brokers.broker("approvals").store.get_trail(f"request#{request_id}")
    return [notice for event in trail if (notice := notice_of(event))]


def _titles(scene: InProcessStack, request_id: str) -> list[str]:
    return [notice.title for notice in _notices(scene, request_id)]


def _covered(scene: InProcessStack) -> str:
    assert scene.approve_ahead().status == 201
    answer = scene.submit()
    assert (answer.status, answer.body["status"]) == (201, "active")
    return str(answer.body["id"])


def test_a_request_that_people_decide(scene: InProcessStack) -> None:
    """Its submission, with its deadline, its grant and its end."""
    request_id = scene.active()
    scene.later(2 * 3600 + 1)
    assert _titles(scene, request_id) == ["new request", "granted", "grant ended"]
    asked, granted, ended = _notices(scene, request_id)
    assert asked.deadline == scene.item(request_id)["answer_by"]["S"]
    for notice in (granted, ended):
        assert scene.grantee("partner") in notice.text
        assert scene.key_arn in notice.text


def test_a_covered_request(scene: InProcessStack) -> None:
    """Nothing of its normal course is mailed."""
    request_id = _covered(scene)
    scene.later(2 * 3600 + 1)
    assert scene.trail(request_id) == ["submitted", "issuing", "active", "expired"]
    assert _notices(scene, request_id) == []


def test_a_covered_request_that_is_released(scene: InProcessStack) -> None:
    """That is its normal course too."""
    request_id = _covered(scene)
    assert scene.release(request_id).status == 202
    scene.later(1)
    assert scene.trail(request_id)[-1] == "released"
    assert _notices(scene, request_id) == []


def test_a_covered_request_that_is_revoked(scene: InProcessStack) -> None:
    """What the team does to it is told to all of the team."""
    request_id = _covered(scene)
    assert scene.revoke(request_id).status == 202
    scene.later(1)
    assert _titles(scene, request_id) == ["a grant or request was revoked"]


def test_a_covered_request_on_a_key_that_asks_for_mails(scene: InProcessStack) -> None:
    """Where the key's limits say `all`, its normal course is mailed as well."""
    assert scene.limit(notify="all").status == 200
    request_id = _covered(scene)
    scene.later(2 * 3600 + 1)
    assert _titles(scene, request_id) == ["new request", "granted", "grant ended"]


def test_a_standing_approval_is_mailed_when_it_is_made(scene: InProcessStack) -> None:
    """What is covered from then on is silent, so the approval itself is not."""
    assert scene.approve_ahead().status == 201
    items = scene.tables.scan(TableName=scene.deployment.request_table)["Items"]
    events = [record_of(Event, plain(item)) for item in items if item["sk"]["S"].startswith("event#")]
    titles = [notice.title for event in events if (notice := notice_of(event))]
    assert sorted(titles) == ["a key's limits", "a standing approval"]
