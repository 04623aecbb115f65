"""What each function is told by its environment, and what it works with."""

import pytest
from pydantic import ValidationError

from grant_broker.approvals.settings import ApprovalsSettings
from grant_broker.aws.clients import clients
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.store import Store
from grant_broker.domain.people import Caller
from grant_broker.events.settings import EventsSettings
from grant_broker.expiry.settings import ExpirySettings
from grant_broker.reconcile.settings import ReconcileSettings
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.settings import RequestsSettings
from grant_broker.settings import Settings
from tests.support.environments import environment, load_handler

MODELS: dict[str, type[Settings]] = {
    "requests": RequestsSettings,
    "approvals": ApprovalsSettings,
    "expiry": ExpirySettings,
    "reconcile": ReconcileSettings,
    "events": EventsSettings,
}
VARIABLES = [(function, name.upper()) for function, model in MODELS.items() for name in model.model_fields]


@pytest.mark.parametrize(("function", "variable"), VARIABLES, ids=str)
def test_every_variable_is_needed(function: str, variable: str) -> None:
    """A function that is not told one of its settings does not start, and says which one it lacks."""
    told = environment(function)
    del told[variable]
    with pytest.raises(ValidationError) as refused:
        load_handler(function, told)
    assert [error["loc"] for error in refused.value.errors()] == [(variable,)]
    assert f"\n{variable}\n" in str(refused.value)


@pytest.mark.parametrize("function", MODELS)
def test_no_variable_is_empty(function: str) -> None:
    """An empty text is no setting, but of an archive that there need not be; an empty list is one, but of the
    operations that may be granted.
    """
    told = dict.fromkeys(environment(function), "")
    with pytest.raises(ValidationError) as refused:
        MODELS[function].from_environment(told)
    accepted = {name.upper() for name in MODELS[function].model_fields} - {
        str(error["loc"][0]) for error in refused.value.errors()
    }
    lists = {"TRUSTED_ACCOUNTS", "IDENTITY_CENTER_ROLE_IDS", "APPROVER_ROLE_IDS", "TICKET_HOOKS"}
    lists |= {"KEY_REGIONS", "ARCHIVE_BUCKET"}
    assert accepted == lists & set(told)


def test_an_error_shows_no_value() -> None:
    """What else is in the environment, such as the role's credentials, is in no log."""
    told = {**environment("expiry"), "END_RATE": "hidden-1", "AWS_SESSION_TOKEN": "hidden-2"}
    del told["RETIRING_PRINCIPAL"]
    with pytest.raises(ValidationError) as refused:
        ExpirySettings.from_environment(told)
    assert "hidden" not in str(refused.value)


def test_lists() -> None:
    """Lists are separated by commas; blanks and empty parts are nothing."""
    given = {"TRUSTED_ACCOUNTS": "444455556666, 666677778888,,", "APPROVER_ROLE_IDS": ""}
    settings = ApprovalsSettings.from_environment(environment("approvals") | given)
    assert settings.trusted_accounts == ("444455556666", "666677778888")
    assert settings.approver_role_ids == ()


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [
        ("requests", "SMALLEST_DURATION", "0"),
        ("requests", "ANSWER_WITHIN", "PT1H"),
        ("requests", "ANSWER_WITHIN", "59"),
        ("requests", "OPEN_PER_ACCOUNT", "0"),
        ("expiry", "END_RATE", "0"),
    ],
)
def test_malformed(function: str, name: str, value: str) -> None:
    """What is malformed or out of range stops the function before its first call."""
    with pytest.raises(ValidationError):
        MODELS[function].from_environment(environment(function) | {name: value})
    told = environment(function) | {"SMALLEST_DURATION": "1"}
    assert MODELS[function].from_environment(told).model_dump()["smallest_duration"] == 1


def test_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker is made of its environment: tables, clock, ids, and persons as the stack's list tells them."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    clients.cache_clear()
    given = {
        "REQUEST_TABLE": "requests",
        "APPROVAL_TABLE": "approvals",
        "IDENTITY_CENTER_ROLE_IDS": "AROASET",
    }
    broker = RequestsBroker.build(RequestsSettings.from_environment(environment("requests") | given))
    assert (broker.store.tables.request_table, broker.store.tables.approval_table) == (
        "requests",
        "approvals",
    )
    caller = Caller("arn:aws:sts::111122223333:assumed-role/r/alice", "111122223333", "AROASET", "alice")
    assert broker.person(caller) == "identity-center:111122223333:alice"
    assert broker.clock().utcoffset() is not None
    ids = {broker.new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(each) == 32 for each in ids)
    broker.measure("Nothing", 1)
    clients.cache_clear()


def test_without_an_approval_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would read the approval table fails before any call where none was named."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    clients.cache_clear()
    store = Store(DynamoDb(clients().dynamodb()), request_table="requests")
    assert not store.tables.has_approval_table
    with pytest.raises(LookupError):
        store.find_key("arn:aws:kms:eu-central-1:111122223333:key/0d0e")
    clients.cache_clear()


_ENTRY = (
    '{"key": "arn:aws:kms:eu-central-1:111122223333:key/1", '
    '"grantee": "arn:aws:iam::111122223333:role/backup", "operations": ["Decrypt"]}'
)


def _allowed(text: str) -> ReconcileSettings:
    return ReconcileSettings.from_environment({**environment("reconcile"), "ALLOWED_GRANTS": text})


def test_the_list_of_grants_to_be_left_alone() -> None:
    """The operator's list is JSON: whose grants of which operations on which key."""
    [entry] = _allowed(f"[{_ENTRY}]").allowed_grants
    assert (entry.key.rpartition("/")[2], entry.operations) == ("1", ("Decrypt",))
    assert _allowed("[]").allowed_grants == ()


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("Decrypt", "CreateGrant"),
        ('["Decrypt"]', "[]"),
        ("role/backup", "role/*"),
        ("key/1", "alias/a"),
        ("operations", "operation"),
        ("{", '{"until": 1, '),
        ("}", ""),
        ("[{", "{"),
    ],
)
def test_an_entry_that_says_too_much_or_too_little(part: str, instead: str) -> None:
    """One that is not exactly key, grantee and operations keeps the function from starting, by its name."""
    with pytest.raises(ValidationError) as refused:
        _allowed(f"[{_ENTRY}]".replace(part, instead))
    assert {error["loc"][0] for error in refused.value.errors()} == {"ALLOWED_GRANTS"}
