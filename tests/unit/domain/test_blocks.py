"""Blocks: what they match, how long they hold, and what is kept of them."""

from datetime import UTC, datetime, timedelta

import pytest

from grant_broker.domain.arns import name_of_principal
from grant_broker.domain.blocks import Block, Selectors, Standing, refuse_blocked
from grant_broker.domain.errors import Blocked

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
ROLE = "arn:aws:iam::444455556666:role/loads/Nightly"
ABOUT = Selectors.about(key_arn=KEY, account="444455556666", grantee=ROLE)
_HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        (ROLE, "444455556666:role/nightly"),
        ("arn:aws:iam::444455556666:role/Nightly", "444455556666:role/nightly"),
        ("arn:aws:sts::444455556666:assumed-role/Nightly/session", "444455556666:role/nightly"),
        ("arn:aws:iam::444455556666:user/ops/bob", "444455556666:user/bob"),
        ("AROAEXAMPLE", "aroaexample"),
    ],
)
def test_a_principal_is_told_by_account_and_name(principal: str, name: str) -> None:
    """A role whatever its path and case, a session by its role, a user by its name."""
    assert name_of_principal(principal) == name


def test_every_combination_is_looked_at() -> None:
    """All, an account, a grantee, and each of them on the key: what matches one grant is among six names."""
    assert [each.name for each in ABOUT.wider] == [
        "*#*#*",
        f"{KEY}#*#*",
        "*#444455556666#*",
        f"{KEY}#444455556666#*",
        "*#*#444455556666:role/nightly",
        f"{KEY}#*#444455556666:role/nightly",
    ]
    assert all(each.matches(ABOUT) for each in ABOUT.wider)


def test_an_account_beside_its_grantee_says_nothing_more() -> None:
    """The grantee's name holds its account: the two combinations are one block."""
    both = Selectors(account="444455556666", grantee="444455556666:role/nightly")
    assert Block(selectors=both).subject == "block#*#*#444455556666:role/nightly"


@pytest.mark.parametrize(
    "other",
    [
        Selectors(key_arn=f"{KEY}0"),
        Selectors(account="666677778888"),
        Selectors(grantee="444455556666:role/daily"),
        Selectors(key_arn=KEY, account="666677778888"),
    ],
)
def test_all_selectors_must_match(other: Selectors) -> None:
    """One that does not match is enough for another grant to be left alone."""
    assert not other.matches(ABOUT)


def _block(*standings: Standing, selectors: Selectors | None = None) -> Block:
    block = Block(selectors=selectors or Selectors())
    for standing in standings:
        block = block.stood_on(standing).record
    return block


def test_it_holds_while_one_revocation_stands_on_it() -> None:
    """Until the last of them is over: lifting one leaves the other's."""
    block = _block(
        Standing(revocation="one", since=NOW, until=NOW + _HOUR), Standing(revocation="two", since=NOW)
    )
    assert block.holds(NOW + 2 * _HOUR)
    block = block.lifted("two", NOW + timedelta(minutes=5)).record
    assert block.holds(NOW + _HOUR - timedelta(seconds=1))
    assert not block.holds(NOW + _HOUR)
    block = block.lifted("one", NOW + timedelta(minutes=6)).record
    assert not block.holds(NOW)
    assert block.blocked_until == 0
    assert [each.ends_at for each in block.standings] == [NOW + timedelta(minutes=n) for n in (6, 5)]


def test_what_is_over_already_is_not_lifted_later() -> None:
    """Lifting a standing whose time has passed changes nothing of when it ended."""
    block = _block(Standing(revocation="one", since=NOW, until=NOW + _HOUR))
    after = block.lifted("one", NOW + 2 * _HOUR).record
    assert after.standings == block.standings


def test_those_that_are_over_are_kept_up_to_a_bound() -> None:
    """An item has its size: of hundreds that are over the oldest go, and what holds stays."""
    block = _block(Standing(revocation="lasting", since=NOW))
    for number in range(210):
        at = NOW + timedelta(minutes=number)
        block = (
            block.stood_on(Standing(revocation=f"{number}", since=at)).record.lifted(f"{number}", at).record
        )
    assert len(block.standings) == 201
    assert block.holds(NOW + _HOUR)
    assert "9" not in {each.revocation for each in block.standings}


@pytest.mark.parametrize(
    ("selectors", "words"),
    [
        (Selectors(), "for everybody"),
        (Selectors(key_arn=KEY), "on this key"),
        (Selectors(account="444455556666"), "for this account"),
        (Selectors(key_arn=KEY, grantee="444455556666:role/nightly"), "on this key for this grantee"),
    ],
)
def test_the_refusal_says_what_is_blocked_and_until_when(selectors: Selectors, words: str) -> None:
    """Whoever is refused is told about what, and when to come again."""
    lasting = _block(Standing(revocation="one", since=NOW), selectors=selectors)
    with pytest.raises(Blocked, match=f"new grants {words} until it lifts the block") as refused:
        refuse_blocked([lasting], NOW)
    assert refused.value.until is None
    timed = _block(Standing(revocation="one", since=NOW, until=NOW + _HOUR), selectors=selectors)
    with pytest.raises(Blocked, match=f"{words} until 2030-01-01T13:00:00Z") as refused:
        refuse_blocked([timed], NOW)
    assert refused.value.until == NOW + _HOUR
    refuse_blocked([timed], NOW + _HOUR)
