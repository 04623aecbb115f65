"""A key by its name, its id or its ARN."""

from typing import TYPE_CHECKING, cast

import pytest

from grant_broker.client import GrantBrokerError
from grant_broker.client.key_naming import get_path_id, name_or_arn

if TYPE_CHECKING:
    from grant_broker.api.shapes.third_parties import Offer

ID, REPLICATED = "1b2c3d4e-0000-4000-8000-aabbccddeeff", f"mrk-{7:032x}"
PLAIN = f"arn:aws:kms:eu-central-1:111122223333:key/{ID}"
FIRST, SECOND = (
    f"arn:aws:kms:{region}:111122223333:key/{REPLICATED}" for region in ("eu-west-1", "us-east-1")
)
KEYS = cast(
    "list[Offer]",
    [
        {"name": "partner_data", "key_arn": PLAIN},
        {"name": "archive", "key_arn": FIRST},
        {"name": "archive-us", "key_arn": SECOND},
    ],
)


@pytest.mark.parametrize(
    ("named", "arn", "path"),
    [
        ("partner_data", "partner_data", ID),
        (PLAIN, PLAIN, ID),
        (ID, PLAIN, ID),
        (REPLICATED, FIRST, f"eu-west-1:{REPLICATED}"),
        (f"us-east-1:{REPLICATED}", SECOND, f"us-east-1:{REPLICATED}"),
        ("archive-us", "archive-us", f"us-east-1:{REPLICATED}"),
    ],
)
def test_named_in_any_way(named: str, arn: str, path: str) -> None:
    """Each way leads to the same key, and of replicas to the one that is meant."""
    assert name_or_arn(named, lambda: KEYS) == arn
    assert get_path_id(named, KEYS) == path  # type: ignore[arg-type]


def test_a_name_like_an_id() -> None:
    """A key that is called by another key's id is found by that name, as everywhere else."""
    other = f"arn:aws:kms:eu-central-1:111122223333:key/{ID[::-1].replace('-', '0')}"
    assert name_or_arn(ID, lambda: [*KEYS, cast("Offer", {"name": ID, "key_arn": other})]) == other


def test_what_is_no_managed_key() -> None:
    """What nobody knows goes to the API as it is; where there must be one, it is told."""
    strange = f"{ID[:-1]}0"
    assert name_or_arn(strange, lambda: KEYS) == strange
    with pytest.raises(GrantBrokerError, match="no managed key is called 'orders'"):
        get_path_id("orders", KEYS)  # type: ignore[arg-type]


def test_names_are_not_looked_up() -> None:
    """What has not the form of an id costs no call."""

    def never() -> "list[Offer]":
        raise AssertionError

    assert name_or_arn("partner_data", never) == "partner_data"
