"""What is said of an account, found and changed field by field."""

from typing import TYPE_CHECKING, TypedDict

from grant_broker.client.errors import NotFoundError

if TYPE_CHECKING:
    from grant_broker.api.shapes.accounts import NamedAccount
    from grant_broker.client.api_command import Api


class Given(TypedDict):
    """What somebody gave; None: as it is. An empty text takes away what is said."""

    name: str | None
    contact: str | None
    event_bus: str | None


def find_account(api: "Api", account: str) -> "NamedAccount | None":
    """Find what is said of an account; None where nobody has named it."""
    try:
        return api.client.security.get_account(account)[0]
    except NotFoundError:
        return None


def put_fields(api: "Api", account: str, given: Given) -> "NamedAccount":
    """Send an account's entry with these fields instead of the present ones. GrantBrokerError."""
    present: dict[str, object] = {}
    version = None
    try:
        found, version = api.client.security.get_account(account)
        present = dict(found)
    except NotFoundError:
        present = {"account": account}
    changed = {name: value or None for name, value in given.items() if value is not None}
    return api.client.security.put_account(account, {**present, **changed}, if_match=version)
