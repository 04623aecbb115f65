"""A broker on moto's DynamoDB, with a list of grants in the place of KMS."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3

from grant_broker.aws.agenda import AgendaEntry
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.items import item_of
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.store import Store
from grant_broker.domain.agenda import Part
from grant_broker.domain.approvals import Approval, ApprovalKind
from grant_broker.domain.arns import region_of
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.ownership import AllowedGrant
from grant_broker.domain.records import Record
from grant_broker.domain.request import GrantRequest, at_latest
from grant_broker.domain.scope import Scope
from grant_broker.domain.trail import Event
from grant_broker.domain.votes import Verdict, Vote
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.run import Report, reconcile
from grant_broker.reconcile.settings import ReconcileSettings
from tests.support.limits import WHOLE

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CREATED = NOW - timedelta(minutes=30)
EXPIRES = CREATED + timedelta(hours=2)
EXPIRY_ROLE = "arn:aws:iam::111122223333:role/broker-expiry"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
ACCOUNT = "444455556666"
GRANTEE = f"arn:aws:iam::{ACCOUNT}:role/partner"
ID = "0123456789abcdef" * 2
SCOPE = Scope(operations=("Encrypt",), encryption_context={"tenant": "a"})
_INDEXES = {
    "agenda": ("agenda", "due"), "by_account": ("account", "listed_at"),
    "by_status": ("status", "listed_at"), "by_kind": ("kind", "listed_at"),
    "covering": ("covering", "listed_at"), "held": ("holder", "held_until"),
}  # fmt: skip


def agenda(action: Action, due: datetime) -> dict[str, Any]:
    """The fields that put a request on the agenda."""
    return {"action": action, "due": at_latest(due)}


def request(**changes: Any) -> GrantRequest:
    """An active request with two hours, half an hour of them gone."""
    base: dict[str, Any] = {
        "id": ID, "status": Status.ACTIVE, "requester_arn": GRANTEE, "account": ACCOUNT,
        "requester_person": "444455556666:AROAPARTNER", "grantee": GRANTEE, "key_arn": KEY, "scope": SCOPE,
        "duration": 7200, "asked_duration": 7200, "starts_at": None, "reason": "nightly load", "ticket": None,
        "created_at": CREATED, "answer_by": None, "intent_at": CREATED, "issued_at": CREATED,
        "expires_at": EXPIRES, "grant_id": "g1", "version": 1, **agenda(Action.END, EXPIRES),
    }  # fmt: skip
    return GrantRequest.model_validate(base | changes)


def before_intent(status: Status, **changes: Any) -> GrantRequest:
    """The same request before it was taken up."""
    unknown = {"intent_at": None, "issued_at": None, "expires_at": None, "grant_id": None}
    due = NOW + timedelta(days=1)
    later = {**agenda(Action.LAPSE, due), "answer_by": due}
    return request(status=status, **{**unknown, **later, **changes})


def vote(digest: str, person: str = "alice") -> Vote:
    """One approving vote."""
    return Vote(person=person, by=person, verdict=Verdict.APPROVE, at=CREATED, digest=digest)


def votes(of: GrantRequest, **changes: Any) -> Approval:
    """The decisions on a request: one vote for it."""
    base: dict[str, Any] = {
        "id": of.id, "kind": ApprovalKind.REQUEST, "key_arn": KEY, "account": ACCOUNT, "grantee": GRANTEE,
        "scope": of.scope, "max_duration": 7200, "valid_from": CREATED, "valid_until": None,
        "digest": of.digest, "created_at": CREATED, "votes": (vote(of.digest),), "version": 1,
    }  # fmt: skip
    return Approval.model_validate(base | changes)


def standing(**changes: Any) -> Approval:
    """A standing approval that covers the request."""
    base = votes(request()).model_copy(
        update={"id": "standing-1", "kind": ApprovalKind.STANDING, "digest": "d"}
    )
    return base.model_copy(update={"votes": (vote("d"),), **changes})


def key(**limits: Any) -> Key:
    """The registered key."""
    document = KeyDocument.model_validate({"key_arn": KEY, **WHOLE, "accounts": (ACCOUNT,), **limits})
    return Key(document=document, created_at=CREATED - timedelta(days=1), version=1)


def grant(**changes: Any) -> ListedGrant:
    """The request's grant as KMS lists it."""
    shown = ListedGrant(
        grant_id="g1", key_arn=KEY, name=grant_name(ID, EXPIRES), grantee=GRANTEE,
        retiring_principal=EXPIRY_ROLE, operations=("Encrypt",), constraints=SCOPE.constraints,
        created_at=CREATED, issuing_account="arn:aws:iam::111122223333:root",
    )  # fmt: skip
    return replace(shown, **changes)


@dataclass
class ListedGrants:
    """KMS as reconcile sees it: pages of what `expiry` may retire, and of each key's grants.

    A marker is the place of the next grant. `calls` counts pages.
    """

    grants: list[ListedGrant] = field(default_factory=list)
    size: int = 100
    calls: int = 0

    def list_retirable_page(
        self, principal: str, region: str, *, marker: str | None = None
    ) -> tuple[list[ListedGrant], str | None]:
        """A page of a Region's grants that show the broker's retiring principal."""
        assert principal == EXPIRY_ROLE
        here = [each for each in self.grants if region_of(each.key_arn) == region]
        return self._page([each for each in here if each.retiring_principal == principal], marker)

    def list_grants_page(
        self, key_arn: str, *, marker: str | None = None
    ) -> tuple[list[ListedGrant], str | None]:
        """A page of one key's grants."""
        return self._page([each for each in self.grants if each.key_arn == key_arn], marker)

    def _page(self, grants: list[ListedGrant], marker: str | None) -> tuple[list[ListedGrant], str | None]:
        self.calls += 1
        start = int(marker or 0)
        end = start + self.size
        return grants[start:end], str(end) if end < len(grants) else None


class Scene:
    """Two empty tables, no grant, and a clock that stands still."""

    def __init__(self, client: Any = None, kms: Any = None) -> None:
        self.client = client or boto3.client("dynamodb", region_name="eu-central-1")
        for name in ("requests", "approvals"):
            _create_table(self.client, name)
        self.store = Store(DynamoDb(self.client), request_table="requests", approval_table="approvals")
        self.kms = kms or ListedGrants()
        self.now = NOW
        self.left = 240.0
        self.end_rate = 40
        self.key_regions: tuple[str, ...] = ()
        self.metrics: dict[str, float] = {}
        self.allowed: tuple[AllowedGrant, ...] = ()
        self._ids = 0

    @property
    def broker(self) -> ReconcileBroker:
        """The broker of this scene."""
        settings = ReconcileSettings(
            request_table="requests",
            approval_table="approvals",
            home_account="111122223333",
            aws_region="eu-central-1",
            key_regions=self.key_regions,
            retiring_principal=EXPIRY_ROLE,
            agenda_shards=1,
            approver_role_ids=(),
            identity_center_role_ids=(),
            allowed_grants=self.allowed,
            take_up_within=86_400,
            end_rate=self.end_rate,
            archive_bucket="",
            archive_after_days=400,
        )
        return ReconcileBroker(
            settings=settings,
            store=self.store,
            kms=cast("KmsReader", self.kms),
            clock=lambda: self.now,
            new_id=self._new_id,
            measure=self.metrics.__setitem__,
        )

    def _new_id(self) -> str:
        self._ids += 1
        return f"event-{self._ids}"

    def put(self, *records: Record | Event) -> None:
        """Store records as they are."""
        for record in records:
            self.client.put_item(TableName=self.store.tables.table_of(record), Item=item_of(record))

    def ends_due(self, by: datetime) -> list[AgendaEntry]:
        """The ends that are due on the agenda."""
        return self.store.agenda.read_due(Part.ENDS, int(by.timestamp()), most=1000).entries

    def run(self, *grants: ListedGrant) -> Report:
        """One run over these grants."""
        self.kms.grants = list(grants)
        self.metrics.clear()
        return reconcile(self.broker, lambda: self.left)

    def request(self, request_id: str = ID) -> GrantRequest:
        """The stored request."""
        found = self.store.find_request(request_id)
        assert found is not None
        return found

    def events(self, subject: str = f"request#{ID}") -> list[Event]:
        """The stored trail."""
        return self.store.get_trail(subject)


def _create_table(client: Any, name: str) -> None:
    attributes = {"pk": "S", "sk": "S"}
    numbers = {"due", "held_until"}
    attributes |= {part: "N" if part in numbers else "S" for pair in _INDEXES.values() for part in pair}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_schema("pk", "sk"),
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in attributes.items()],
        GlobalSecondaryIndexes=[
            {"IndexName": index, "KeySchema": _schema(*pair), "Projection": {"ProjectionType": "ALL"}}
            for index, pair in _INDEXES.items()
        ],
    )


def _schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
