"""What falls due, and how late it would come, as the security team sees it."""

from datetime import timedelta

from grant_broker.domain.place import EndsPlace
from tests.support.crowd import crowd
from tests.support.scene import InProcessStack


def test_what_falls_due(scene: InProcessStack) -> None:
    """Per minute for an hour and per hour for a day from the present minute on; what is overdue by itself."""
    scene.clock.sleep(30)
    now = scene.clock.now
    for minutes, count in ((-1, 3), (0, 2), (1, 5), (59, 7), (61, 11), (23 * 60, 13), (25 * 60, 17)):
        crowd(scene, now + timedelta(minutes=minutes), count)
    debt = scene.call("alice", "GET", "/security/debt").body
    assert (debt["at"], debt["end_rate"], debt["overdue"]) == ("2030-01-01T12:00:30Z", 40, 3)
    assert [each for each in debt["minutes"] if each["due"]] == [
        {"at": "2030-01-01T12:00:00Z", "due": 2},
        {"at": "2030-01-01T12:01:00Z", "due": 5},
        {"at": "2030-01-01T12:59:00Z", "due": 7},
    ]
    assert [each for each in debt["hours"] if each["due"]] == [
        {"at": "2030-01-01T12:00:00Z", "due": 14},
        {"at": "2030-01-01T13:00:00Z", "due": 11},
        {"at": "2030-01-02T11:00:00Z", "due": 13},
    ]
    assert (len(debt["minutes"]), len(debt["hours"])) == (60, 24)
    assert debt["believed"] is True


def test_how_late(scene: InProcessStack) -> None:
    """The debt is the longest wait at the configured rate, in seconds: of what is overdue or crowded."""
    assert scene.call("alice", "GET", "/security/debt").body["debt_seconds"] == 0
    crowd(scene, scene.clock.now + timedelta(hours=1), 81)
    assert scene.call("alice", "GET", "/security/debt").body["debt_seconds"] == 2
    crowd(scene, scene.clock.now - timedelta(hours=1), 200)
    debt = scene.call("alice", "GET", "/security/debt").body
    assert (debt["debt_seconds"], debt["overdue"]) == (4, 200)


def test_whether_it_is_believed(scene: InProcessStack) -> None:
    """What reconcile found nothing behind is said not to be believed."""
    broker = scene.brokers.broker("reconcile")
    broker.store.commit(EndsPlace().not_believed(scene.clock.now))
    assert scene.call("alice", "GET", "/security/debt").body["believed"] is False


def test_for_the_security_team_alone(scene: InProcessStack) -> None:
    """What falls due at all accounts' keys is no third party's business."""
    assert scene.call("partner", "GET", "/security/debt").status == 403
