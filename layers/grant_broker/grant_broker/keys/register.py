"""Managed keys: which keys the broker may issue grants on, and within which limits."""

from grant_broker.aws.dynamodb import Write
from grant_broker.broker import ApiBroker
from grant_broker.domain import arns
from grant_broker.domain.checks import KeyChecks
from grant_broker.domain.errors import Fault, InvalidRequest, KmsRefused, NotFound
from grant_broker.domain.keys import Key, KeyDocument, Proposal
from grant_broker.domain.people import Caller
from grant_broker.keys import checks
from grant_broker.retries import retry_stale


def get_open_key(broker: ApiBroker, key_arn: str) -> Key:
    """Get an open key; NotFound."""
    key = broker.store.find_key(key_arn)
    if key is None or not key.open:
        raise NotFound("there is no such key")
    return key


def get_key_arn(broker: ApiBroker, key_id: str) -> str:
    """The ARN registered under a key id, in whatever account; else what the id means in the home account."""
    home = arns.key_arn(broker.settings.aws_region, broker.settings.home_account, key_id)
    return broker.store.find_label("key_id", key_id) or home


def put(broker: ApiBroker, caller: Caller, document: KeyDocument) -> tuple[Key | None, int]:
    """Register a key or change its limits; the key and the votes for this document, None while votes lack.

    Where the present quorum is above 1, each call is one person's vote for exactly this document. Raises
    InvalidRequest for a key that KMS does not know or that is no symmetric customer managed key, and for
    operations that the stack does not grant.
    """
    _check(broker, document)
    return retry_stale(lambda: _put(broker, caller, document))


def _put(broker: ApiBroker, caller: Caller, document: KeyDocument) -> tuple[Key | None, int]:
    key = broker.store.find_key(document.key_arn)
    quorum = key.document.quorum if key else 1
    if key and key.open and key.document == document:
        return key, quorum
    if key is None or quorum == 1:
        return _take_effect(broker, caller, document, key), 1
    return _vote(broker, caller, document, key)


def withdraw(broker: ApiBroker, caller: Caller, key_arn: str) -> None:
    """Close the key to new grants; live ones run to their time. Its quorum stays for whoever reopens it."""

    def close() -> None:
        change = get_open_key(broker, key_arn).closed(broker.stamp(caller.arn))
        broker.store.commit(change, *checks.stop(broker.store, key_arn))

    retry_stale(close)


def check_now(broker: ApiBroker, key_arn: str) -> KeyChecks:
    """Have both functions check an open key at once; NotFound."""

    def request_checks() -> None:
        get_open_key(broker, key_arn)
        broker.store.commit(*checks.request_now(broker.store, key_arn, broker.clock()))

    retry_stale(request_checks)
    return checks.find_checks(broker.store, key_arn)


def _vote(broker: ApiBroker, caller: Caller, document: KeyDocument, key: Key) -> tuple[Key | None, int]:
    stamp, person = broker.stamp(caller.arn), broker.person(caller)
    fresh = Proposal(document=document, base_version=key.limits_version, proposed_at=stamp.at)
    stored = broker.store.find_proposal(fresh) or fresh
    if stored.counts_for(key, stamp.at) and person in stored.voters:
        return None, len(stored.voters)
    change = stored.voted(person, key, stamp.at)
    votes = len(change.record.voters)
    if votes < key.document.quorum:
        broker.store.commit(key.voted(document, votes, stamp), change)
        return None, votes
    return _take_effect(broker, caller, document, key), votes


def _take_effect(broker: ApiBroker, caller: Caller, document: KeyDocument, key: Key | None) -> Key:
    stamp = broker.stamp(caller.arn)
    change = (key or Key(document=document, created_at=stamp.at)).documented(document, stamp)
    others = [_name(broker, document), _key_id(broker, document)]
    requested = checks.request_now(broker.store, document.key_arn, stamp.at)
    broker.store.commit(change, *requested, others=others)
    return change.record


def _name(broker: ApiBroker, document: KeyDocument) -> Write:
    holder = broker.store.find_label("name", document.name)
    held = broker.store.find_key(holder) if holder not in {None, document.key_arn} else None
    if held and held.open and held.document.name == document.name:
        raise InvalidRequest(Fault("name", "another key has this name"))
    # Written even where it is held already, so that nobody takes it meanwhile.
    return broker.store.put_label("name", document.name, document.key_arn, borne_by=holder)


def _key_id(broker: ApiBroker, document: KeyDocument) -> Write:
    """A key id leads to one ARN for good: the replicas of a multi-Region key share theirs."""
    key_id = arns.key_id_of(document.key_arn)
    holder = broker.store.find_label("key_id", key_id)
    if holder not in {None, document.key_arn}:
        raise InvalidRequest(Fault("key_arn", "this key id is registered for another ARN"))
    return broker.store.put_label("key_id", key_id, document.key_arn, borne_by=holder)


def _check(broker: ApiBroker, document: KeyDocument) -> None:
    grantable = broker.settings.grantable_operations
    faults = []
    if extra := [name for name in document.operations if name not in grantable]:
        faults.append(Fault("operations", f"this stack does not grant {', '.join(extra)}"))
    if document.max_continuous < document.max_duration:
        faults.append(Fault("max_continuous", "at least max_duration"))
    if faults:
        raise InvalidRequest(*faults)
    try:
        metadata = broker.kms.describe_key(document.key_arn)
    except KmsRefused as error:
        raise InvalidRequest(Fault("key_arn", f"KMS does not show this key ({error.code})")) from error
    suits = (metadata.get("KeyManager"), metadata.get("KeyUsage"), metadata.get("KeySpec"))
    if suits != ("CUSTOMER", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"):
        raise InvalidRequest(Fault("key_arn", "give a customer managed, symmetric encryption key"))
