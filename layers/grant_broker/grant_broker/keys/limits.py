"""Set the limits of a key: register it, change it, vote on a change. One document, whole, by whoever may."""

from collections.abc import Callable
from dataclasses import dataclass

from grant_broker.api_broker import ApiBroker
from grant_broker.aws.dynamodb import Write
from grant_broker.aws.pages import Page
from grant_broker.aws.proposals import Proposals
from grant_broker.domain.arns import key_id_of, region_of
from grant_broker.domain.decisions import NO_APPROVER
from grant_broker.domain.errors import MISSING, Fault, InvalidRequest, KmsRefused, NotPermitted
from grant_broker.domain.key_document import Comparison, KeyDocument, compare
from grant_broker.domain.keys import Key
from grant_broker.domain.people import Caller
from grant_broker.domain.preconditions import Precondition
from grant_broker.domain.proposals import Proposal
from grant_broker.domain.votes import Quorum
from grant_broker.keys import checks
from grant_broker.keys.register import ensure_region, get_open_key
from grant_broker.keys.versions import keep_limits
from grant_broker.retries import retry_stale


@dataclass(frozen=True)
class Outcome:
    """What came of a document: the key where it holds now, None where votes are missing.

    `opened`: nobody could ask for grants on the key before.
    """

    key: Key | None
    votes: int
    quorum: int
    comparison: Comparison
    opened: bool = False


@dataclass(frozen=True)
class Writer:
    """Who sends a document, and what they take for the present version."""

    caller: Caller
    expected: Precondition


def put(broker: ApiBroker, writer: Writer, document: KeyDocument) -> Outcome:
    """Register a key, or change its limits to this document.

    Where the present quorum is above 1, each call is one person's vote for exactly this document. Raises
    NotPermitted for whoever is none of a registered key's approvers; InvalidRequest for a key that KMS does
    not know or that is no symmetric customer managed key, for limits that cannot be, and for a field left out
    of a registered key's document; PreconditionFailed.
    """
    ensure_region(broker, document.key_arn)
    document = _with_kms_s_arn(broker, document)
    return retry_stale(lambda: _put(broker, writer, document))


def patch(
    broker: ApiBroker, writer: Writer, key_arn: str, change: Callable[[KeyDocument], KeyDocument]
) -> Outcome:
    """Change some of an open key's limits: `put` of its present document, changed. NotFound."""

    def patch_present() -> Outcome:
        document = change(get_open_key(broker, key_arn).document)
        return _put(broker, writer, document)

    return retry_stale(patch_present)


def may_write(broker: ApiBroker, caller: Caller, key: Key) -> bool:
    """Whether somebody decides on the document of a registered key, open or closed."""
    return caller.unique_id in broker.settings.writers(key.document).role_ids


def quorum_of(broker: ApiBroker, key: Key) -> Quorum:
    """How many persons must send the same document of a key."""
    return Quorum(key.document.quorum, mixed=broker.settings.writers(key.document).mixed)


def list_proposals(broker: ApiBroker, key: Key, *, limit: int, after: str | None) -> Page[Proposal]:
    """List the documents that some have voted for and that do not hold yet: a page, the newest first.

    All of a key's are read for each page: they are few, and lapse after a week.
    """
    now = broker.clock()
    waiting = {p.place: p for p in Proposals(broker.store.tables).list(key) if p.counts_for(key, now)}
    places = sorted((place for place in waiting if after is None or place < after), reverse=True)
    shown = places[:limit]
    return Page([waiting[place] for place in shown], shown[-1] if len(places) > limit else None)


def _put(broker: ApiBroker, writer: Writer, document: KeyDocument) -> Outcome:
    key = broker.store.find_key(document.key_arn)
    if key and not may_write(broker, writer.caller, key):
        raise NotPermitted(NO_APPROVER)
    writer.expected.ensure(key.limits_version if key else None)
    _ensure_possible(broker, document, key)
    quorum = key.document.quorum if key else 1
    opened = key is None or not key.open
    comparison = compare(key.document, document) if key else Comparison()
    if key and not opened and key.document == document:
        return Outcome(key, quorum, quorum, comparison)
    votes = _cast_vote(broker, writer.caller, document, key) if key and quorum > 1 else 1
    if votes < quorum:
        return Outcome(None, votes, quorum, comparison)
    changed = _take_effect(broker, writer.caller, document, key, comparison)
    return Outcome(changed, votes, quorum, comparison, opened)


def _ensure_possible(broker: ApiBroker, document: KeyDocument, key: Key | None) -> None:
    left_out = document.left_out if key else []
    faults = [Fault(name, MISSING) for name in left_out]
    grantable = broker.settings.grantable_operations
    faults += document.faults(
        grantable=grantable, team=broker.settings.team, smallest=broker.settings.smallest_duration
    )
    if document.ticket_hook not in {None, *broker.settings.ticket_hooks}:
        faults.append(Fault("ticket_hook", "not on the stack's list: add it to TicketHooks first"))
    if faults:
        raise InvalidRequest(*faults)


def _cast_vote(broker: ApiBroker, caller: Caller, document: KeyDocument, key: Key) -> int:
    """Cast one person's vote, unless it completes the quorum: then the document itself is written."""
    stamp, person = broker.stamp(caller.arn), broker.person(caller)
    quorum = quorum_of(broker, key)
    fresh = Proposal(document=document, base_version=key.limits_version, proposed_at=stamp.at)
    stored = Proposals(broker.store.tables).find(fresh) or fresh
    if stored.counts_for(key, stamp.at) and person in stored.voters:
        return stored.votes(quorum)
    change = stored.voted(person, key, stamp.at)
    votes = change.record.votes(quorum)
    if votes < quorum.needed:
        broker.store.commit(key.voted(document, votes, stamp), change)
    return votes


def _take_effect(
    broker: ApiBroker, caller: Caller, document: KeyDocument, key: Key | None, comparison: Comparison
) -> Key:
    stamp = broker.stamp(caller.arn)
    change = (key or Key(document=document, created_at=stamp.at)).documented(
        document, stamp, comparison, person=broker.person(caller), grace=broker.settings.review_grace
    )
    labels = [_put_name(broker, document), _put_key_id(broker, document)]
    requested = checks.request_now(broker.store, document.key_arn, stamp.at)
    versions = keep_limits(broker.store, key, change.record, stamp.at)
    broker.store.commit(change, *requested, others=[*labels, *versions])
    return change.record


def _put_name(broker: ApiBroker, document: KeyDocument) -> Write:
    bearer = broker.store.find_label("name", document.name)
    held = broker.store.find_key(bearer) if bearer not in {None, document.key_arn} else None
    if held and held.open and held.document.name == document.name:
        raise InvalidRequest(Fault("name", "another key has this name"))
    # Written even where it is borne already, so that nobody takes it meanwhile.
    return broker.store.put_label("name", document.name, document.key_arn, borne_by=bearer)


def _put_key_id(broker: ApiBroker, document: KeyDocument) -> Write:
    """A key id leads to one ARN for good; a replica of another Region has its Region before the id."""
    region, key_id = region_of(document.key_arn), key_id_of(document.key_arn)
    bearer = broker.store.find_label("key_id", key_id)
    if bearer not in {None, document.key_arn}:
        if region_of(bearer) == region:
            raise InvalidRequest(Fault("key_arn", "this key id is registered for another account's ARN"))
        key_id = f"{region}:{key_id}"
        bearer = broker.store.find_label("key_id", key_id)
    return broker.store.put_label("key_id", key_id, document.key_arn, borne_by=bearer)


def _with_kms_s_arn(broker: ApiBroker, document: KeyDocument) -> KeyDocument:
    """The document with the ARN that KMS itself has for the key: however it is spelled, it is one key."""
    try:
        metadata = broker.kms.describe_key(document.key_arn)
    except KmsRefused as error:
        raise InvalidRequest(Fault("key_arn", f"KMS does not show this key ({error.code})")) from error
    suits = (metadata.get("KeyManager"), metadata.get("KeyUsage"), metadata.get("KeySpec"))
    if suits != ("CUSTOMER", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"):
        raise InvalidRequest(Fault("key_arn", "give a customer managed, symmetric encryption key"))
    return document.model_copy(update={"key_arn": metadata["Arn"]})
