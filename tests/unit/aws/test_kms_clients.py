"""One client for each Region, made when it is needed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from grant_broker.aws.kms_clients import KmsClients
from grant_broker.domain.errors import KmsRefused

HOME, LISTED = "eu-central-1", "eu-west-1"


def clients() -> tuple[KmsClients, list[str]]:
    """Clients that are the names of their Regions, and the Regions for which one was made."""
    made: list[str] = []

    def make(region: str) -> str:
        made.append(region)
        return f"kms.{region}"

    return KmsClients(make, HOME, [LISTED]), made  # type: ignore[arg-type]


def test_made_when_needed() -> None:
    """A function that no call asks about another Region makes the home Region's alone."""
    found, made = clients()
    assert made == [HOME]
    assert found.in_region(HOME) == "kms.eu-central-1"  # type: ignore[comparison-overlap]
    assert made == [HOME]


def test_of_a_key() -> None:
    """The key's ARN says in which Region it is; each Region has one client, also for many threads."""
    found, made = clients()
    arn = "arn:aws:kms:eu-west-1:111122223333:key/0d0e"
    with ThreadPoolExecutor(8) as threads:
        assert list(map(str, set(threads.map(found.of, [arn] * 50)))) == ["kms.eu-west-1"]
    # Whoever waited for the lock finds it made.
    assert found._add(LISTED) is found.of(arn)  # noqa: SLF001
    assert made == [HOME, LISTED]


@pytest.mark.parametrize(
    "text", ["unheard-of", "arn:aws:kms::111122223333:key/1", "arn:aws:kms:A b:1:key/1", ""]
)
def test_of_what_is_no_arn(text: str) -> None:
    """The home Region's KMS answers for it, as for an id: a record that was spoilt ends like any other."""
    found, made = clients()
    assert found.of(text) is found.in_region(HOME)
    assert made == [HOME]


def test_of_any_number_of_regions() -> None:
    """However many Regions somebody made up, the stack's own have their client."""
    found, made = clients()
    for number in range(20):
        found.in_region(f"xx-{number}")
    with pytest.raises(KmsRefused, match="xx-20 is none of the stack's Regions"):
        found.in_region("xx-20")
    assert found.in_region(LISTED) == "kms.eu-west-1"  # type: ignore[comparison-overlap]
    assert len(made) == 22
