"""A KMS that learns of grants and of their ends with delay, as AWS says it may."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.local_aws.world import DENIED, PAIRS, World, code

DELAY = timedelta(seconds=30)
GONE = "NotFoundException"


@pytest.fixture
def slow(world: World) -> World:
    """The world, with a KMS that takes half a minute."""
    world.cloud.kms.propagation.of_grants = world.cloud.kms.propagation.of_ends = DELAY
    return world


def made(world: World) -> tuple[dict[str, str], dict[str, Any]]:
    """A new grant's id with its key, and the parameters of an Encrypt that carries its token."""
    answer = world.as_root().create_grant(**world.wanted())
    encryption = {"KeyId": world.key, "Plaintext": b"p", "EncryptionContext": PAIRS}
    named = {"KeyId": world.key, "GrantId": answer["GrantId"]}
    return named, {**encryption, "GrantTokens": [answer["GrantToken"]]}


def without_token(encryption: dict[str, Any]) -> dict[str, Any]:
    """The same Encrypt by policies and known grants alone."""
    return {name: value for name, value in encryption.items() if name != "GrantTokens"}


def test_new_grants(slow: World) -> None:
    """A new grant is known by its token alone: neither counted, nor listed, nor found by its id."""
    encrypt, retire = slow.role(slow.partner).encrypt, slow.role(slow.expiry).retire_grant
    named, encryption = made(slow)
    assert code(encrypt, **encryption) == ""
    assert code(encrypt, **without_token(encryption)) == DENIED
    assert slow.as_root().list_grants(KeyId=slow.key)["Grants"] == []
    assert code(retire, **named) == code(slow.as_root().revoke_grant, **named) == GONE
    slow.now[0] += DELAY
    assert code(encrypt, **without_token(encryption)) == ""
    (listed,) = slow.as_root().list_grants(KeyId=slow.key)["Grants"]
    assert listed["GrantId"] == named["GrantId"]
    assert code(retire, **named) == ""


def test_an_older_grant_beside_it(slow: World) -> None:
    """A grant that is known counts, whatever looks like it and is not known yet; neither ends the other."""
    older, encryption = made(slow)
    slow.now[0] += DELAY
    made(slow)
    encrypt = slow.role(slow.partner).encrypt
    assert code(encrypt, **without_token(encryption)) == ""
    slow.as_root().revoke_grant(**older)
    slow.now[0] += DELAY
    assert code(encrypt, **without_token(encryption)) == ""


def test_ends(slow: World) -> None:
    """An ended grant allows what it allowed, and is listed, until its end has spread; it ends once."""
    encrypt, retire = slow.role(slow.partner).encrypt, slow.role(slow.expiry).retire_grant
    named, encryption = made(slow)
    slow.now[0] += DELAY
    assert code(retire, **named) == ""
    assert code(retire, **named) == GONE
    assert code(encrypt, **without_token(encryption)) == ""
    assert len(slow.as_root().list_grants(**named)["Grants"]) == 1
    slow.now[0] += DELAY
    assert code(encrypt, **encryption) == DENIED
    assert slow.as_root().list_grants(KeyId=slow.key)["Grants"] == []


def test_retire_by_token(slow: World) -> None:
    """A token retires a grant that cannot be found by its id yet."""
    _, encryption = made(slow)
    assert code(slow.role(slow.expiry).retire_grant, GrantToken=encryption["GrantTokens"][0]) == ""
    assert slow.cloud.grants(slow.key) == []


def test_at_once_again(slow: World) -> None:
    """Where ends spread at once from now on, what has ended is forgotten at once."""
    named, encryption = made(slow)
    slow.now[0] += DELAY
    slow.as_root().revoke_grant(**named)
    slow.cloud.kms.propagation.of_ends = timedelta(0)
    assert code(slow.role(slow.partner).encrypt, **encryption) == DENIED
