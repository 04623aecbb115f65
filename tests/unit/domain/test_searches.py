"""What the security team looks for."""

import pytest

from grant_broker.domain.searches import RequestSearch, is_principal

ROLE = "arn:aws:iam::444455556666:role/team/writer"
SESSION = "arn:aws:sts::444455556666:assumed-role/writer/nightly"
USER = "arn:aws:iam::444455556666:user/ann"


@pytest.mark.parametrize(
    ("principal", "wanted", "found"),
    [
        (ROLE, None, True), (ROLE, ROLE, True), (SESSION, SESSION, True), (USER, USER, True),
        (SESSION, ROLE, True), (SESSION, "arn:aws:iam::444455556666:role/writer", True),
        (SESSION, "arn:aws:iam::666677778888:role/writer", False), (ROLE, SESSION, False),
        (SESSION, "arn:aws:sts::444455556666:assumed-role/writer/other", False),
        (USER, "arn:aws:iam::444455556666:role/ann", False), ("expiry", "expiry", True),
        ("expiry", ROLE, False),
    ],
)  # fmt: skip
def test_principals(principal: str, wanted: str | None, *, found: bool) -> None:
    """A role stands for all its sessions, whatever its path; a session and a user for themselves."""
    assert is_principal(principal, wanted) is found


def test_account() -> None:
    """A requester's or grantee's own account narrows what is read; without them nothing does."""
    assert RequestSearch(grantee=ROLE).only_account == "444455556666"
    assert RequestSearch(requester=SESSION).only_account == "444455556666"
    assert RequestSearch(requester=SESSION, account="666677778888").only_account == "666677778888"
    assert RequestSearch().only_account is None
