"""The register of managed keys, on which the broker may make grants. `limits` sets their limits."""

from grant_broker.api_broker import ApiBroker
from grant_broker.domain import arns
from grant_broker.domain.checks import KeyChecks
from grant_broker.domain.errors import Fault, InvalidRequest, NotFound
from grant_broker.domain.keys import Key
from grant_broker.domain.people import Caller
from grant_broker.keys import checks
from grant_broker.keys.versions import keep_limits
from grant_broker.retries import retry_stale


def get_open_key(broker: ApiBroker, key_arn: str) -> Key:
    """Get an open key; NotFound."""
    key = broker.store.find_key(key_arn)
    if key is None or not key.open:
        raise NotFound("there is no such key")
    return key


def get_key_arn(broker: ApiBroker, key_id: str) -> str:
    """The ARN registered under a key id, in whatever account; else what the id means in the home account.

    A Region and a colon before the id tell replicas apart: they share it.
    """
    region, _, bare = key_id.rpartition(":")
    registered = broker.store.find_label("key_id", key_id)
    if registered is None and region:
        first = broker.store.find_label("key_id", bare)
        registered = first if first and arns.region_of(first) == region else None
    home = arns.key_arn(region or broker.settings.aws_region, broker.settings.home_account, bare)
    return registered or home


def ensure_region(broker: ApiBroker, key_arn: str) -> None:
    """InvalidRequest for a key in none of the stack's Regions, unless it is open: KMS is not asked there."""
    regions = broker.settings.regions
    if arns.region_of(key_arn) in regions:
        return
    registered = broker.store.find_key(key_arn)
    if registered is None or not registered.open:
        words = f"give a key in {' or '.join(regions)}, or add its Region to KeyRegions first"
        raise InvalidRequest(Fault("key_arn", words))


def withdraw(broker: ApiBroker, caller: Caller, key_arn: str) -> None:
    """Close the key to new grants; live ones run to their time. Its quorum stays for whoever reopens it."""

    def close() -> None:
        key, stamp = get_open_key(broker, key_arn), broker.stamp(caller.arn)
        change = key.closed(stamp)
        versions = keep_limits(broker.store, key, change.record, stamp.at)
        broker.store.commit(change, *checks.stop(broker.store, key_arn), others=versions)

    retry_stale(close)


def check_now(broker: ApiBroker, key_arn: str) -> KeyChecks:
    """Have both functions check an open key at once; NotFound."""

    def request_checks() -> None:
        get_open_key(broker, key_arn)
        broker.store.commit(*checks.request_now(broker.store, key_arn, broker.clock()))

    retry_stale(request_checks)
    return checks.find_checks(broker.store, key_arn)
