"""What would really be granted on a key: grants that were asked for, which the check tries."""

from dataclasses import dataclass

from grant_broker.domain.arns import account_of, role_arn
from grant_broker.domain.keys import Key
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.scope import Scope
from grant_broker.domain.searches import RequestSearch
from grant_broker.requests.broker import RequestsBroker

_NEWEST = 50  # requests of each account that are looked at
_NOBODY = "grant-broker-check"


@dataclass(frozen=True)
class Example:
    """A grant that might be made on a key."""

    key_arn: str
    grantee: str
    scope: Scope


def find_examples(broker: RequestsBroker, key: Key, *, most: int) -> list[Example]:
    """Return examples for so many grantees at most, whom the stack may grant to.

    First what was granted on the key, then what was asked for on it, then the grantees of its accounts'
    requests for other keys; the newest of each kind first.
    """
    key_arn = key.document.key_arn

    def rank(request: GrantRequest) -> tuple[bool, bool]:
        return request.key_arn != key_arn, request.issued_at is None

    asked = [request for account in _accounts(broker, key) for request in _newest(broker, account)]
    found: dict[str, Example] = {}
    for request in sorted(asked, key=rank):
        if not broker.settings.is_own_role(request.grantee):
            found.setdefault(request.grantee, _example(broker, key, request))
    return list(found.values())[:most]


def made_up_example(broker: RequestsBroker, key: Key) -> Example:
    """Return an example for a role that does not exist, of one of the key's accounts."""
    account = next(iter(_accounts(broker, key)), broker.settings.home_account)
    return Example(key.document.key_arn, role_arn(account, _NOBODY), _offered(broker, key, account))


def _accounts(broker: RequestsBroker, key: Key) -> list[str]:
    """The key's accounts that the stack still trusts."""
    trusted = {*broker.settings.trusted_accounts, broker.settings.home_account}
    return [account for account in key.document.accounts if account in trusted]


def _newest(broker: RequestsBroker, account: str) -> list[GrantRequest]:
    newest = broker.store.lists.list_requests(RequestSearch(account=account), limit=_NEWEST, after=None)
    return newest.records


def _example(broker: RequestsBroker, key: Key, request: GrantRequest) -> Example:
    """What was asked for, as the stack would grant it on the key by now."""
    scope = _offered(broker, key, account_of(request.grantee))
    left = tuple(name for name in request.scope.operations if name in broker.settings.grantable_operations)
    if left and request.key_arn == key.document.key_arn:
        scope = request.scope.model_copy(update={"operations": left})
    return Example(key.document.key_arn, request.grantee, scope)


def _offered(broker: RequestsBroker, key: Key, account: str) -> Scope:
    """What the key's limits offer and the stack grants, under the pairs that the limits require."""
    offered = key.document.operations
    # What the stack grants no more fails by itself, and says nothing about the key.
    operations = tuple(name for name in offered if name in broker.settings.grantable_operations) or offered
    context = key.required_context(account) or {"grant-broker": "check"}
    return Scope(operations=operations, encryption_context=context)
