"""KMS grants: create, list, retire, revoke; and what KMS says of a key."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.answers import code_of, uncertain
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain
from grant_broker.domain.scope import Scope

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import GrantListEntryTypeDef

_PAGE = 100


@dataclass(frozen=True)
class Grant:
    """A grant as ListGrants shows it. `grantee` is an id (AROA…) once its principal was deleted."""

    grant_id: str
    key_arn: str
    name: str
    grantee: str
    retiring_principal: str | None
    operations: tuple[str, ...]
    constraints: dict[str, Any]
    created_at: datetime | None
    issuing_account: str | None = None


class Kms:
    """The grant calls of KMS, with errors told apart by what they say about the effect."""

    def __init__(self, client: "KMSClient") -> None:
        self._client = client

    def create_grant(
        self, *, key_arn: str, grantee: str, retiring_principal: str, scope: Scope, name: str
    ) -> tuple[str, str]:
        """The grant's id and token. The same parameters and Name again give the same grant (CreateGrant).

        Raises KmsRefused where KMS refused for certain, KmsUncertain where the grant may exist.
        """
        answer = self._call(
            "create_grant",
            KeyId=key_arn,
            GranteePrincipal=grantee,
            RetiringPrincipal=retiring_principal,
            Operations=list(scope.operations),
            Constraints=scope.constraints,
            Name=name,
        )
        return answer["GrantId"], answer["GrantToken"]

    def try_grant(self, *, key_arn: str, grantee: str, retiring_principal: str, scope: Scope) -> None:
        """Ask KMS whether it would create this grant, without creating it (DryRun).

        Raises KmsRefused where it would not, KmsUncertain where it did not say.
        """
        try:
            self._call(
                "create_grant",
                KeyId=key_arn,
                GranteePrincipal=grantee,
                RetiringPrincipal=retiring_principal,
                Operations=list(scope.operations),
                Constraints=scope.constraints,
                DryRun=True,
            )
        except KmsRefused as error:
            # A dry run never ends otherwise than in an error; this one says that all is well.
            if error.code != "DryRunOperationException":
                raise
            return
        raise KmsUncertain("DryRun", "KMS did not take this as a dry run")

    def retire(self, *, key_arn: str, grant_id: str) -> None:
        """End a grant as its retiring principal: needs no policy. GrantNotFound where KMS knows none."""
        self._call("retire_grant", KeyId=key_arn, GrantId=grant_id)

    def revoke(self, *, key_arn: str, grant_id: str) -> None:
        """End any grant on the key: needs kms:RevokeGrant. GrantNotFound where KMS knows none."""
        self._call("revoke_grant", KeyId=key_arn, GrantId=grant_id)

    def grant(self, *, key_arn: str, grant_id: str) -> Grant | None:
        """The live grant of this id on the key, or None."""
        try:
            return next(self._list("list_grants", KeyId=key_arn, GrantId=grant_id), None)
        except GrantNotFound:
            return None

    def grants_of(self, *, key_arn: str, grantee: str) -> Iterator[Grant]:
        """The live grants of one grantee principal on the key; none where the key or the grantee is gone."""
        try:
            yield from self._list("list_grants", KeyId=key_arn, GranteePrincipal=grantee)
        except GrantNotFound:
            # A key once deleted takes all its grants along.
            return
        except KmsRefused as error:
            # A principal once deleted is not listed by its ARN any more: its grants are void, and shown by
            # its id to whoever lists them all. That KMS says so in these words is not confirmed.
            if error.code != "InvalidArnException":
                raise

    def retirable_by(self, principal: str) -> Iterator[Grant]:
        """Every live grant, on any key of any account, that this principal may retire."""
        return self._list("list_retirable_grants", RetiringPrincipal=principal)

    def entries(
        self, key_arn: str, *, limit: int = _PAGE, marker: str | None = None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """One page of ListGrants as KMS shows it, and the marker of the next page; None at the end."""
        start = {"Marker": marker} if marker else {}
        page = self._call("list_grants", KeyId=key_arn, Limit=limit, **start)
        return page["Grants"], page["NextMarker"] if page.get("Truncated") else None

    def key_policy(self, key_arn: str) -> str:
        """The key policy, as JSON text. KMS shows it within the key's own account only."""
        return str(self._call("get_key_policy", KeyId=key_arn, PolicyName="default")["Policy"])

    def describe(self, key_arn: str) -> dict[str, Any]:
        """DescribeKey's `KeyMetadata`."""
        metadata: dict[str, Any] = self._call("describe_key", KeyId=key_arn)["KeyMetadata"]
        return metadata

    def _list(self, operation: str, **parameters: str) -> Iterator[Grant]:
        marker: dict[str, str] = {}
        while True:
            page = self._call(operation, Limit=_PAGE, **parameters, **marker)
            yield from (_grant(entry) for entry in page["Grants"])
            if not page.get("Truncated"):
                return
            marker = {"Marker": page["NextMarker"]}

    def _call(self, operation: str, **parameters: Any) -> Any:  # noqa: ANN401 - one shape per operation
        try:
            return getattr(self._client, operation)(**parameters)
        except (ClientError, BotoCoreError) as error:
            raise _typed(error, operation) from error


def _typed(error: ClientError | BotoCoreError, operation: str) -> Exception:
    code = code_of(error)
    if uncertain(error):
        return KmsUncertain(code, f"KMS did not answer {operation}")
    if code == "NotFoundException" and operation in {"retire_grant", "revoke_grant", "list_grants"}:
        return GrantNotFound(str(error))
    return KmsRefused(code, str(error))


def _grant(entry: "GrantListEntryTypeDef") -> Grant:
    return Grant(
        grant_id=entry["GrantId"],
        key_arn=entry["KeyId"],
        name=entry.get("Name", ""),
        grantee=entry.get("GranteePrincipal", ""),
        retiring_principal=entry.get("RetiringPrincipal"),
        operations=tuple(entry.get("Operations", ())),
        constraints=dict(entry.get("Constraints", {})),
        created_at=entry.get("CreationDate"),
        issuing_account=entry.get("IssuingAccount"),
    )
