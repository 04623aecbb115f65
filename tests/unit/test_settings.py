"""What a function is told by its environment, and what it works with."""

import pytest
from pydantic import ValidationError

from grant_broker.aws.clients import session
from grant_broker.broker import Broker
from grant_broker.domain.people import Caller
from grant_broker.settings import Settings

ENVIRONMENT = {"REQUEST_TABLE": "requests", "OTHER": "x"}


def test_defaults() -> None:
    """A function needs the request table's name; the rest has the values of production."""
    settings = Settings.from_environment(ENVIRONMENT)
    assert (settings.request_table, settings.smallest_duration, settings.trusted_accounts) == (
        "requests",
        300,
        (),
    )
    with pytest.raises(ValidationError):
        Settings.from_environment({})


def test_lists() -> None:
    """Lists are separated by commas; blanks and empty parts are nothing."""
    given = {**ENVIRONMENT, "TRUSTED_ACCOUNTS": "444455556666, 666677778888,,", "APPROVER_ROLE_IDS": ""}
    settings = Settings.from_environment(given)
    assert settings.trusted_accounts == ("444455556666", "666677778888")
    assert settings.approver_role_ids == ()


@pytest.mark.parametrize(
    ("name", "value"), [("SMALLEST_DURATION", "0"), ("END_RATE", ""), ("ANSWER_WITHIN", "PT1H")]
)
def test_malformed(name: str, value: str) -> None:
    """What is malformed stops the function before its first call."""
    with pytest.raises(ValidationError):
        Settings.from_environment({**ENVIRONMENT, name: value})
    assert Settings.from_environment({**ENVIRONMENT, "SMALLEST_DURATION": "1"}).smallest_duration == 1


def test_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker is made of its environment: tables, clock, ids, and persons as the stack's list tells them."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    session.cache_clear()
    given = {**ENVIRONMENT, "APPROVAL_TABLE": "approvals", "IDENTITY_CENTER_ROLE_IDS": "AROASET"}
    broker = Broker.from_environment(given)
    session.cache_clear()
    assert (broker.store.request_table, broker.store.approval_table) == ("requests", "approvals")
    caller = Caller("arn:aws:sts::111122223333:assumed-role/r/alice", "111122223333", "AROASET", "alice")
    assert broker.person(caller) == "identity-center:111122223333:alice"
    assert broker.clock().utcoffset() is not None
    ids = {broker.new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(each) == 32 for each in ids)
    broker.measure("Nothing", 1)
