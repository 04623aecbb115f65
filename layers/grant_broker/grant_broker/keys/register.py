"""Managed keys: which keys the broker may issue grants on, and within which limits."""

from typing import Any

from grant_broker.broker import ApiBroker
from grant_broker.domain import arns
from grant_broker.domain.checks import Check
from grant_broker.domain.errors import Fault, InvalidRequest, KmsRefused, NotFound
from grant_broker.domain.keys import Key, KeyDocument, Proposal
from grant_broker.domain.people import Caller
from grant_broker.domain.times import milliseconds
from grant_broker.keys import checks
from grant_broker.retries import anew


def get_open_key(broker: ApiBroker, key_arn: str) -> Key:
    """The open key; NotFound."""
    key = broker.store.find_key(key_arn)
    if key is None or not key.open:
        raise NotFound("there is no such key")
    return key


def get_key_arn(broker: ApiBroker, key_id: str) -> str:
    """The ARN registered under a key id, in whatever account; else what the id means in the home account."""
    home = arns.key_arn(broker.settings.aws_region, broker.settings.home_account, key_id)
    return broker.store.find_label("key_id", key_id) or home


def put(broker: ApiBroker, caller: Caller, document: KeyDocument) -> tuple[Key | None, int]:
    """The key and the votes for this document; None while votes are missing.

    Where the present quorum is above 1, each call is one person's vote for exactly this document. Raises
    InvalidRequest for a key that KMS does not know or that is no symmetric customer managed key, and for
    operations that the stack does not grant.
    """
    _check(broker, document)
    return anew(lambda: _put(broker, caller, document))


def _put(broker: ApiBroker, caller: Caller, document: KeyDocument) -> tuple[Key | None, int]:
    key = broker.store.find_key(document.key_arn)
    quorum = key.document.quorum if key else 1
    if key and key.open and key.document == document:
        return key, quorum
    if key is None or quorum == 1:
        return _take_effect(broker, caller, document, key), 1
    return _voted(broker, caller, document, key)


def withdraw(broker: ApiBroker, caller: Caller, key_arn: str) -> None:
    """Close the key to new grants; live ones run to their time. Its quorum stays for whoever reopens it."""

    def closed() -> None:
        key, now = get_open_key(broker, key_arn), milliseconds(broker.clock())
        change = key.recorded(
            "key_withdrawn", at=now, by=caller.arn, event_id=broker.new_id(), withdrawn_at=now,
            limits_version=key.version + 1,
        )  # fmt: skip
        broker.store.commit(change, *checks.stop(broker, key_arn))

    anew(closed)


def check_now(broker: ApiBroker, key_arn: str) -> list[Check]:
    """Both checks of an open key, due at once; NotFound."""

    def asked() -> None:
        get_open_key(broker, key_arn)
        broker.store.commit(*checks.ask(broker, key_arn))

    anew(asked)
    return checks.of_key(broker, key_arn)


def _voted(broker: ApiBroker, caller: Caller, document: KeyDocument, key: Key) -> tuple[Key | None, int]:
    now, person = milliseconds(broker.clock()), broker.person(caller)
    fresh = Proposal(document=document, base_version=key.limits_version, proposed_at=now)
    stored = broker.store.find_proposal(fresh)
    version = stored.version if stored else 0
    current = (
        stored if stored and stored.counts_for(key, now) else fresh.model_copy(update={"version": version})
    )
    if person in current.voters:
        return None, len(current.voters)
    voters = (*current.voters, person)
    change = current.changed(voters=voters)
    if len(voters) < key.document.quorum:
        noted = key.recorded(
            "key_voted", at=now, by=caller.arn, event_id=broker.new_id(),
            detail={"document": document.digest, "votes": len(voters)},
        )  # fmt: skip
        broker.store.commit(noted, change)
        return None, len(voters)
    return _take_effect(broker, caller, document, key), len(voters)


def _take_effect(broker: ApiBroker, caller: Caller, document: KeyDocument, key: Key | None) -> Key:
    now = milliseconds(broker.clock())
    base = key or Key(document=document, created_at=now)
    change = base.recorded(
        "key_changed" if key else "key_registered", at=now, by=caller.arn, event_id=broker.new_id(),
        detail=document.model_dump(mode="json"), document=document, withdrawn_at=None,
        limits_version=base.version + 1,
    )  # fmt: skip
    others = [_name(broker, document), _key_id(broker, document)]
    broker.store.commit(change, *checks.ask(broker, document.key_arn), others=others)
    return change.record


def _name(broker: ApiBroker, document: KeyDocument) -> dict[str, Any]:
    holder = broker.store.find_label("name", document.name)
    held = broker.store.find_key(holder) if holder not in {None, document.key_arn} else None
    if held and held.open and held.document.name == document.name:
        raise InvalidRequest(Fault("name", "another key has this name"))
    # Written even where it is held already, so that nobody takes it meanwhile.
    return broker.store.put_label("name", document.name, document.key_arn, borne_by=holder)


def _key_id(broker: ApiBroker, document: KeyDocument) -> dict[str, Any]:
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
