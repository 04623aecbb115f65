"""No grant is made whose end could not be on time, and none is refused for what nothing stands behind."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.aws.agenda import Around
from grant_broker.aws.store import Store
from grant_broker.domain.ends_ahead import ON_TIME
from grant_broker.reconcile.run import reconcile
from grant_broker.requests.ends import count_ends
from tests.support.crowd import crowd
from tests.support.scene import InProcessStack, time

TWO_HOURS = timedelta(hours=2)
FULL = int(ON_TIME) + 1


@pytest.fixture(scope="module")
def deployed() -> Iterator[InProcessStack]:
    """One grant ends a second."""
    yield InProcessStack.deploy(EndRate="1")
    moto_api_backend.reset()


@pytest.fixture
def crowded(scene: InProcessStack) -> datetime:
    """When a grant of two hours that is made now would end: all that can end then is taken."""
    scene.approve_ahead()
    end = scene.clock.now + TWO_HOURS
    crowd(scene, end, FULL)
    return end


def refused(answer: Any) -> list[str]:
    """The durations that a refusal names."""
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert all(each in answer.body["detail"] for each in answer.body["durations"])
    found: list[str] = answer.body["durations"]
    return found


@pytest.mark.usefixtures("crowded")
def test_a_covered_submission(scene: InProcessStack) -> None:
    """Refused with the nearest durations that fit, nothing stored; each of them is granted."""
    answer = scene.submit()
    assert refused(answer) == ["PT1H59M59S", "PT2H1S"]
    assert answer.body["detail"] == (
        "more grants end around 2030-01-01T14:00:00Z than can be ended on time:"
        " submit one for PT1H59M59S or PT2H1S, or try again in 1 s"
    )
    assert scene.call("partner", "GET", "/requests").body["items"] == []
    assert scene.measured("EndsCrowded") == [1]
    for duration in answer.body["durations"]:
        assert scene.submit(duration=duration).body["status"] == "active"


def test_one_less_is_granted(scene: InProcessStack) -> None:
    """What can still be ended on time is granted, and the next one is not."""
    scene.approve_ahead()
    crowd(scene, scene.clock.now + TWO_HOURS, FULL - 1)
    assert scene.submit().body["status"] == "active"
    assert refused(scene.submit())


@pytest.mark.usefixtures("crowded")
def test_a_vote_is_never_refused(scene: InProcessStack) -> None:
    """People approve what could not be ended on time now; whoever takes it up then is told when it could."""
    request_id = scene.approved(encryption_context={"tenant": "b"})
    answer = scene.take_up(request_id)
    assert refused(answer) == ["PT1H59M59S", "PT2H1S"]
    assert answer.body["detail"].startswith("the request is approved, but more grants end around")
    assert answer.body["detail"].endswith("or try again in 1 s")
    assert scene.status(request_id) == "approved"
    scene.clock.sleep(1)
    assert scene.take_up(request_id).status == 201


@pytest.mark.usefixtures("crowded")
def test_a_dry_run_says_so(scene: InProcessStack) -> None:
    """A dry run refuses what would be; a later start and what people decide are judged when taken up."""
    asked = scene.submission()
    answer = scene.call("partner", "POST", "/requests", asked, query={"dry_run": "true"})
    assert answer.status == 200
    assert answer.body["outcome"] == "refuse"
    assert "PT2H1S" in answer.body["reasons"][0]
    later = {**asked, "starts_at": time(scene.clock.now + timedelta(hours=1))}
    answer = scene.call("partner", "POST", "/requests", later, query={"dry_run": "true"})
    assert answer.body["outcome"] == "grant"


def test_no_longer_than_the_limits(scene: InProcessStack) -> None:
    """Of the durations only those are named that key and approval allow, and none below the smallest."""
    scene.approve_ahead(max_duration="PT2H")
    crowd(scene, scene.clock.now + TWO_HOURS, FULL)
    assert refused(scene.submit()) == ["PT1H59M59S"]
    crowd(scene, scene.clock.now + timedelta(seconds=1), FULL)
    assert refused(scene.submit(duration="PT1S")) == ["PT2S"]


def test_no_more_is_read_than_says_enough(scene: InProcessStack) -> None:
    """However many entries somebody wrote, a submission reads as many as the seconds around its end take."""
    scene.approve_ahead()
    crowd(scene, scene.clock.now + TWO_HOURS - timedelta(seconds=20), 400)
    agenda = scene.brokers.broker("requests").store.agenda
    key = scene.brokers.broker("requests").store.get_key(scene.key_arn).document
    ahead = count_ends(scene.brokers.broker("requests"), key, 7200, grantee="anybody")
    assert (ahead.complete, sum(ahead.dues.values())) == (False, 67)
    assert agenda.count_ends(Around(scene.cloud.region, 0, 2**32), most=401, regions=1, sample="").complete
    assert scene.submit().status == 409


def test_what_hours_allow(scene: InProcessStack) -> None:
    """A duration that would end after an approval's hours is not named."""
    hours = {"days": ["tue"], "from": "00:00", "to": "14:00", "time_zone": "UTC"}
    assert scene.approve_ahead(windows=[hours]).status == 201
    for second in (-1, 0):
        crowd(scene, scene.clock.now + TWO_HOURS + timedelta(seconds=second), FULL)
    assert refused(scene.submit(duration="PT1H59M59S")) == ["PT1H59M58S"]


def test_nothing_near_fits(scene: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all that is near is full no duration is named, and the caller is told when to try again."""
    monkeypatch.setattr("grant_broker.requests.ends.NEAR", 1)
    scene.approve_ahead()
    for second in range(-1, 2):
        crowd(scene, scene.clock.now + TWO_HOURS + timedelta(seconds=second), FULL)
    answer = scene.submit()
    assert refused(answer) == []
    assert answer.body["detail"].endswith("on time: try again in 5 minutes")


def test_by_the_margin_of_the_key(scene: InProcessStack) -> None:
    """What counts is when the broker ends the grant: by the key's margin before it expires."""
    assert scene.limit(margin="PT1M").status == 200
    scene.approve_ahead()
    crowd(scene, scene.clock.now + TWO_HOURS, FULL)
    assert scene.submit().body["status"] == "active"
    assert refused(scene.submit(duration="PT2H1M")) == ["PT2H59S", "PT2H1M1S"]
    assert scene.submit(duration="PT2H1M1S").body["status"] == "active"


def test_in_shards(scene: InProcessStack) -> None:
    """Where the agenda lies in shards one of them is counted, against its part of the rate."""
    crowd(scene, scene.clock.now + TWO_HOURS, 60, shards=4)
    broker = scene.brokers.broker("requests")
    tables = broker.store.tables
    store = Store(
        tables.database,
        request_table=tables.request_table,
        approval_table=tables.approval_table,
        agenda_shards=4,
    )
    key = broker.store.get_key(scene.key_arn).document
    ahead = count_ends(replace(broker, store=store), key, 7200, grantee="anybody")
    assert (sum(ahead.dues.values()), ahead.rate) == (15, 0.25)


@pytest.mark.usefixtures("crowded")
def test_what_is_not_backed_refuses_nobody(scene: InProcessStack) -> None:
    """Entries without live grants are believed until reconcile has listed KMS's grants, and not after it."""
    crowd(scene, scene.clock.now + TWO_HOURS, 11, name="forged")
    assert scene.submit().status == 409
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    assert scene.submit().body["status"] == "active"
