"""A backlog is cleared by both ways at once, each at its own quota, on evidence listed by the page."""

from collections import Counter
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.aws.agenda import AgendaEntry
from grant_broker.domain.lifecycle import Status
from grant_broker.expiry.backlog import BacklogListing
from tests.support.backlog import START, Backlog
from tests.support.inline import Inline
from tests.support.records import KEY

QUOTA = 50


def swept(backlog: Backlog, seconds: float = 290) -> float:
    """Seconds that one run needs until all have ended."""
    backlog.process(seconds)()
    assert backlog.kms.grants == {}
    return (max(backlog.kms.ended.values()) - START).total_seconds() + 1


def outcomes(backlog: Backlog) -> Counter[str]:
    """The statuses of all requests."""
    items = backlog.database.tables["requests"].items
    return Counter(item["status"]["S"] for key, item in items.items() if key[1] == "request")


def test_both_ways_clear_a_backlog_twice_as_fast() -> None:
    """More due than 50 a second an operation clear in a minute: two ways, at next to no further calls."""
    both, one = Backlog(rate=QUOTA, quota=QUOTA), Backlog(rate=QUOTA, quota=QUOTA)
    one.kms.refused["ListGrants"] = "AccessDeniedException"
    for backlog in (both, one):
        backlog.add([-1] * (QUOTA * 60 + 50))
        backlog.process(15)()
    assert len(both.kms.ended) / len(one.kms.ended) >= 1.9
    assert both.kms.total() / len(both.kms.ended) <= 1.02
    assert both.kms.busiest("RetireGrant") == both.kms.busiest("RevokeGrant") == QUOTA
    assert outcomes(both) == {"expired": len(both.kms.ended), "active": len(both.kms.grants)}


def test_what_is_revoked_before_its_time_is_a_backlog_too() -> None:
    """After a mass revocation both ways work as well, though no grant's own time has come."""
    both = Backlog(rate=QUOTA, quota=QUOTA)
    later = START + timedelta(hours=2)
    both.add([-1] * (QUOTA * 60 + 50), status=Status.ENDING, end_as=Status.REVOKED, expires_at=later)
    both.process(15)()
    assert len(both.kms.ended) >= 1.9 * 15 * QUOTA
    assert both.kms.total() / len(both.kms.ended) <= 1.03
    assert both.kms.busiest("RetireGrant") == both.kms.busiest("RevokeGrant") == QUOTA


def test_what_is_kept_before_its_turn_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the bound a page leaves what is due alone: memory does not grow with a key's grants."""
    monkeypatch.setattr("grant_broker.expiry.backlog._MOST_LISTED", 0)
    backlog = Backlog(rate=5, quota=5)
    backlog.add([-1] * 325)
    backlog.add([3600] * 100, first=1000)
    backlog.process(290)()
    assert len(backlog.kms.grants) == 100


def test_one_way_uses_its_quota() -> None:
    """What one way clears before the next run it clears alone, at its whole quota."""
    one = Backlog(rate=QUOTA, quota=QUOTA)
    one.add([-1] * (QUOTA * 60))
    one.process(10)()
    assert len(one.kms.ended) / (QUOTA * 10) >= 0.97
    assert one.kms.total("RevokeGrant", "ListGrants") == 0


def test_both_ways_work_until_the_backlog_is_cleared() -> None:
    """Not only while it is as large as at first."""
    backlog = Backlog(rate=5, quota=5)
    backlog.add([-1] * 500)
    assert 500 / 5 / swept(backlog) >= 1.9


def test_what_has_outlived_a_run_is_a_backlog_too() -> None:
    """However few they are: where the oldest has waited for longer than a run, both ways work."""
    behind, keeping_up = Backlog(rate=2), Backlog(rate=2)
    behind.add([-131] * 6)
    keeping_up.add([-100] * 6)
    for backlog in (behind, keeping_up):
        backlog.process(1)()
    assert (len(behind.kms.ended), behind.kms.total("RevokeGrant")) == (4, 2)
    assert (len(keeping_up.kms.ended), keeping_up.kms.total("RevokeGrant")) == (2, 0)


def test_several_keys() -> None:
    """The keys that have most due are listed, one after another, and no page twice."""
    backlog = Backlog(rate=5, quota=5)
    for number in range(4):
        backlog.add([-1] * 150, key_arn=f"{KEY}{number}", first=1 + 1000 * number)
    assert 600 / 5 / swept(backlog) >= 1.9
    assert backlog.kms.total("ListGrants") <= 8


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "NotFoundException", "ThrottlingException", "KMSInvalidStateException"]
)
def test_a_key_that_cannot_be_listed(code: str) -> None:
    """Nothing is revoked unseen: RetireGrant ends all of it, and listing is not tried for each grant."""
    backlog = Backlog(rate=5, quota=QUOTA)
    backlog.kms.refused["ListGrants"] = code
    backlog.add([-1] * 325)
    took = swept(backlog)
    assert took == 65
    assert backlog.kms.total("RevokeGrant") == 0
    assert backlog.kms.total("ListGrants") <= took


def test_revoking_is_refused() -> None:
    """What RevokeGrant could not end RetireGrant does next."""
    backlog = Backlog(rate=5, quota=QUOTA)
    backlog.kms.refused["RevokeGrant"] = "AccessDeniedException"
    backlog.add([-1] * 325)
    assert swept(backlog) <= 75
    assert backlog.kms.total("RetireGrant") == 325
    assert outcomes(backlog) == {"expired": 325}


def test_only_what_the_listing_shows_to_be_ours_is_revoked() -> None:
    """A record that names another's grant, whether of another name or retiring principal, revokes nothing."""
    backlog = Backlog(rate=5, quota=QUOTA)
    backlog.add([-1] * 325)
    ids = [f"{number:064x}" for number in (1, 2, 3)]
    backlog.kms.grants[ids[0]]["Name"] = "backup"
    backlog.kms.grants[ids[1]]["RetiringPrincipal"] = "arn:aws:iam::111122223333:role/other"
    backlog.kms.grants[ids[2]]["Name"] = backlog.kms.grants[f"{9:064x}"]["Name"]
    backlog.kms.refused["RetireGrant"] = "AccessDeniedException"
    backlog.process(120)()
    assert set(ids) <= set(backlog.kms.grants)


def test_a_key_where_few_are_overdue() -> None:
    """It is listed a few pages a second and from where that left off; meanwhile RetireGrant goes on alone."""
    backlog = Backlog(rate=5, quota=QUOTA)
    for number in range(1, 801):
        grant_id = f"{number:064x}"
        backlog.kms.grants[grant_id] = {"GrantId": grant_id, "KeyId": KEY, "CreationDate": START}
    backlog.add([-1] * 325, first=1000)
    backlog.process(1.5)()
    assert (backlog.kms.total("ListGrants"), backlog.kms.total("RevokeGrant")) == (9, 5)
    assert backlog.kms.total("RetireGrant") == 10


def test_a_listing_that_takes_long() -> None:
    """No second one begins beside it."""
    begun: list[object] = []

    class Stuck(Inline):
        def submit(self, *work: Any, **_: Any) -> Future[Any]:
            begun.append(work)
            return Future()

    listing = BacklogListing(Backlog().broker(), Stuck(1))
    due = [AgendaEntry("1" * 32, 1, ("request#1", "request"), "g", KEY)]
    listing.read_on(due)
    listing.read_on(due)
    assert len(begun) == 1
