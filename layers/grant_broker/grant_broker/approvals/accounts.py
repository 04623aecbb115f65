"""Accounts: name them, and say where the events of their requests go."""

from dataclasses import dataclass

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.accounts import Account, AccountDocument
from grant_broker.domain.errors import Fault, InvalidRequest, NotFound
from grant_broker.domain.people import Caller
from grant_broker.domain.preconditions import Precondition
from grant_broker.retries import retry_stale


@dataclass(frozen=True)
class Named:
    """The account as it is now. `made`: nobody had named it, or its entry had been taken away."""

    account: Account
    made: bool


def get(broker: ApprovalsBroker, account: str) -> Account:
    """Get an account that is named; NotFound."""
    found = broker.store.find_account(account)
    if found is None or not found.known:
        raise NotFound("there is no such account: PUT names one")
    return found


def put(broker: ApprovalsBroker, caller: Caller, document: AccountDocument, expected: Precondition) -> Named:
    """Name an account, or change what is said of it: by one person, since it opens no key to anybody.

    InvalidRequest for an account that the stack does not trust, and for a bus that is not the account's own
    in the stack's Region. PreconditionFailed.
    """
    _ensure_possible(broker, document)
    return retry_stale(lambda: _put(broker, caller, document, expected))


def delete(broker: ApprovalsBroker, caller: Caller, account: str) -> None:
    """Take an account's entry away: it is known by its id alone, and its events go to no bus. NotFound."""

    def withdraw() -> None:
        broker.store.commit(get(broker, account).withdrawn(broker.stamp(caller.arn)))

    retry_stale(withdraw)


def _put(broker: ApprovalsBroker, caller: Caller, document: AccountDocument, expected: Precondition) -> Named:
    stored = broker.store.find_account(document.account)
    present = stored if stored and stored.known else None
    expected.ensure(present.version if present else None)
    if present and present.document == document:
        return Named(present, made=False)
    stamp = broker.stamp(caller.arn)
    looks = broker.settings.review_rhythm.after(stamp.at)
    account = stored or Account(document=document, created_at=stamp.at)
    change = account.documented(document, stamp, person=broker.person(caller), looks=looks)
    broker.store.commit(change)
    return Named(change.record, made=present is None)


def _ensure_possible(broker: ApprovalsBroker, document: AccountDocument) -> None:
    settings = broker.settings
    trusted = {settings.home_account, *settings.trusted_accounts}
    faults = document.bus_faults(home_account=settings.home_account, region=settings.aws_region)
    if document.account not in trusted:
        faults.insert(
            0, Fault("account", "the stack trusts no such account: add it to TrustedAccounts first")
        )
    if faults:
        raise InvalidRequest(*faults)
