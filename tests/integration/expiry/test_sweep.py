"""A backlog is cleared by both ways at once, each at its own quota, on evidence listed by the page."""

from collections import Counter

import pytest

from tests.support.backlog import START, Backlog
from tests.support.records import KEY

QUOTA = 50
OTHER_KEY = KEY.replace("key/", "key/f")


def swept(backlog: Backlog, seconds: float = 290) -> float:
    """Seconds that one run needs until all have ended."""
    backlog.process(seconds)()
    assert backlog.kms.grants == {}
    return (max(backlog.kms.ended.values()) - START).total_seconds() + 1


def outcomes(backlog: Backlog) -> Counter[str]:
    """The statuses of all requests."""
    items = backlog.database.tables["requests"].items
    return Counter(item["status"]["S"] for key, item in items.items() if key[1] == "request")


def test_both_ways_clear_a_backlog_in_half_the_time() -> None:
    """5,000 due against 50 a second an operation: nearly twice as fast, at next to no further calls."""
    both = Backlog(rate=QUOTA, quota=QUOTA)
    both.add([-1] * 5000)
    took = swept(both)
    assert 5000 / QUOTA / took >= 1.9
    assert both.kms.total() / 5000 <= 1.02
    assert both.kms.busiest("RetireGrant") == both.kms.busiest("RevokeGrant") == QUOTA
    assert outcomes(both) == {"expired": 5000}


def test_one_way_uses_its_quota() -> None:
    """What one way clears before the next run it clears alone, at its whole quota."""
    one = Backlog(rate=QUOTA, quota=QUOTA)
    one.add([-1] * (QUOTA * 60))
    took = swept(one)
    assert QUOTA * 60 / QUOTA / took >= 0.97
    assert one.kms.total("RevokeGrant", "ListGrants") == 0


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
    backlog = Backlog(rate=QUOTA, quota=QUOTA)
    for number in range(10):
        backlog.add([-1] * 400, key_arn=f"{KEY}{number}", first=1 + 1000 * number)
    took = swept(backlog)
    assert 4000 / QUOTA / took >= 1.9
    assert backlog.kms.total("ListGrants") <= 40


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "NotFoundException", "ThrottlingException", "KMSInvalidStateException"]
)
def test_a_key_that_cannot_be_listed(code: str) -> None:
    """Nothing is revoked unseen: RetireGrant ends all of it, and listing is not tried for each grant."""
    backlog = Backlog(rate=20, quota=QUOTA)
    backlog.kms.refused["ListGrants"] = code
    backlog.add([-1] * 1300)
    took = swept(backlog)
    assert took == 65
    assert backlog.kms.total("RevokeGrant") == 0
    assert backlog.kms.total("ListGrants") <= took


def test_revoking_is_refused() -> None:
    """What RevokeGrant could not end RetireGrant does next."""
    backlog = Backlog(rate=20, quota=QUOTA)
    backlog.kms.refused["RevokeGrant"] = "AccessDeniedException"
    backlog.add([-1] * 1300)
    assert swept(backlog) <= 75
    assert backlog.kms.total("RetireGrant") == 1300
    assert outcomes(backlog) == {"expired": 1300}


def test_only_what_the_listing_shows_to_be_ours_is_revoked() -> None:
    """A record that names another's grant, whether of another name or retiring principal, revokes nothing."""
    backlog = Backlog(rate=20, quota=QUOTA)
    backlog.add([-1] * 1300)
    ids = [f"{number:064x}" for number in (1, 2, 3)]
    backlog.kms.grants[ids[0]]["Name"] = "backup"
    backlog.kms.grants[ids[1]]["RetiringPrincipal"] = "arn:aws:iam::111122223333:role/other"
    backlog.kms.grants[ids[2]]["Name"] = backlog.kms.grants[f"{9:064x}"]["Name"]
    backlog.kms.refused["RetireGrant"] = "AccessDeniedException"
    backlog.process(120)()
    assert set(ids) <= set(backlog.kms.grants)
