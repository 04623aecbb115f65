"""What a submission is judged by, read at the same time where one thing does not wait for the other.

Two rounds of calls: what the name of the key leads to, and what the key leads to. Each result is waited for
where it is needed, in the order of the checks, so the caller is told the same whichever comes first.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from itertools import chain, islice
from typing import NamedTuple

from grant_broker.domain.accounts import Account
from grant_broker.domain.allowance import OpenRequest
from grant_broker.domain.approvals import Approval
from grant_broker.domain.blocks import Block, Selectors
from grant_broker.domain.checks import KeyChecks
from grant_broker.domain.continuity import Holding
from grant_broker.domain.ends_ahead import EndsAhead
from grant_broker.domain.keys import Key
from grant_broker.domain.people import Caller
from grant_broker.domain.submission import Submission
from grant_broker.keys.checks import find_checks
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.coverage import list_held
from grant_broker.requests.ends import count_ends
from grant_broker.requests.quotas import count_call, list_open


class OfKey(NamedTuple):
    """What is known of a key that is open to the caller. `policy` raises KmsRefused or KmsUncertain."""

    key: Key
    blocks: Future[list[Block]]
    checks: Future[KeyChecks]
    approvals: Future[Iterator[Approval]]
    account: Future[Account | None]
    held: Future[list[Holding]]
    policy: Future[str]
    ends: Future[EndsAhead]


class Reads(NamedTuple):
    """`open` are the account's open requests: TooManyRequests where it has called too often. `of_key`: None
    where there is no such key, or it is not open to the caller."""

    open: Future[list[OpenRequest]]
    of_key: OfKey | None


def begin_reads(broker: RequestsBroker, caller: Caller, submission: Submission, *, stored: int) -> Reads:
    """Count the call and the bytes that it will have stored, and begin to read all that it is judged by."""
    workers, account = broker.readers(), caller.account
    counted = workers.submit(_count_and_list, broker, account, stored)
    key_arn = broker.store.find_key_arn(submission.key)
    if key_arn is None:
        return Reads(counted, None)
    about = Selectors.about(key_arn=key_arn, account=account, grantee=submission.grantee)
    blocks = workers.submit(broker.store.blocks.find_matching, about)
    checks = workers.submit(find_checks, broker.store, key_arn)
    approvals = workers.submit(_begin_approvals, broker, key_arn, account)
    named = workers.submit(broker.store.find_account, account)
    key = broker.store.find_bearer(key_arn, submission.key)
    if key is None or not key.open_for(caller.arn, account):
        return Reads(counted, None)
    # KMS is asked about no key that is not the caller's to ask for.
    policy = workers.submit(broker.kms.get_key_policy, key_arn)
    at = submission.starts_at or broker.clock()
    held = workers.submit(list_held, broker, key, submission.grantee, at=at)
    ends = workers.submit(count_ends, broker, key.document, submission.duration, grantee=submission.grantee)
    return Reads(counted, OfKey(key, blocks, checks, approvals, named, held, policy, ends))


def _count_and_list(broker: RequestsBroker, account: str, stored: int) -> list[OpenRequest]:
    count_call(broker, account, stored=stored)
    return list_open(broker, account)


def _begin_approvals(broker: RequestsBroker, key_arn: str, account: str) -> Iterator[Approval]:
    """The standing approvals, newest first; the first page is read now, others when they are looked at."""
    approvals = broker.store.lists.list_approvals_for(key_arn=key_arn, account=account)
    return chain(list(islice(approvals, 1)), approvals)
