"""Grants that are ended some time before they expire, as their key's limits say."""

from datetime import timedelta

from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.times import format_time
from grant_broker.reconcile.run import reconcile
from tests.support.faults import lost
from tests.support.scene import START, InProcessStack


def test_ended_before_it_expires(scene: InProcessStack) -> None:
    """In its own second all the same, and not late; its name and its record keep when it expires."""
    assert scene.limit(margin="PT3S").status == 200
    request_id = scene.active(duration="PT10S")
    grant = scene.call("partner", "GET", f"/requests/{request_id}").body["grant"]
    assert grant["ends_at"] == format_time(START + timedelta(seconds=7))
    assert grant["expires_at"] == format_time(START + timedelta(seconds=10))
    assert grant["spread_by"] == format_time(START + timedelta(minutes=5))
    scene.expire(6.9)
    assert (scene.status(request_id), len(scene.grants())) == (Status.ACTIVE, 1)
    scene.expire(0.2)
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])
    assert scene.request(request_id).ended_at == START + timedelta(seconds=7)
    assert scene.measured("EndLatenessSeconds") == [0.0]


def test_what_is_left_is_never_under_the_smallest_duration(scene: InProcessStack) -> None:
    """A short grant is ended by as much less before it expires; one of the smallest duration lives it all."""
    assert scene.limit(margin="PT1H").status == 200
    smallest = scene.brokers.broker("requests").settings.smallest_duration
    request_id = scene.active(duration="PT5S")
    assert scene.request(request_id).margin == 5 - smallest
    whole = scene.active(duration=f"PT{smallest}S", encryption_context={"tenant": "b"})
    assert scene.request(whole).margin == 0


def test_a_later_margin(scene: InProcessStack) -> None:
    """What a key's limits say later of its margin changes no grant that lives; its end is on record."""
    request_id = scene.active(duration="PT10S")
    assert scene.limit(margin="PT3S").status == 200
    assert scene.request(request_id).margin == 0
    assert reconcile(scene.brokers.broker("reconcile"), lambda: 240.0).drift == 0


def test_the_outcome_of_a_lost_answer(scene: InProcessStack) -> None:
    """A grant that is found by its name is ended by the same margin."""
    assert scene.limit(margin="PT1H").status == 200
    request_id = scene.approved()
    with scene.faults({"CreateGrant": lost}):
        assert scene.take_up(request_id).status == 503
    scene.later(61)
    record = scene.request(request_id)
    end = record.expires_at and record.expires_at - timedelta(hours=1)
    assert (record.status, record.action, record.ends_at) == (Status.ACTIVE, Action.END, end)
    assert end is not None
    assert record.due == int(end.timestamp())


def test_reconcile_puts_it_back_in_time(scene: InProcessStack) -> None:
    """An entry that was moved to the expiry is put back to the end."""
    assert scene.limit(margin="PT1H").status == 200
    request_id = scene.active()
    right = scene.request(request_id).due
    scene.alter(request_id, due={"N": str((right or 0) + 3600)})
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    assert scene.request(request_id).due == right
