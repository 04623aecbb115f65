"""What KMS shows of keys and their grants: reads alone, for every function."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Unpack

from grant_broker.aws.call_peak import CallPeak
from grant_broker.aws.kms_clients import KmsClients
from grant_broker.aws.kms_errors import kms_errors
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain
from grant_broker.domain.key_usage import LastUse
from grant_broker.domain.listed_grant import ListedGrant

if TYPE_CHECKING:
    from mypy_boto3_kms.type_defs import (
        GrantListEntryTypeDef,
        KeyMetadataTypeDef,
        ListGrantsRequestTypeDef,
        ListGrantsResponseTypeDef,
    )

_PAGE = 100


class KmsReader:
    """The KMS calls that change nothing. Raises KmsRefused, or KmsUncertain where KMS did not answer."""

    def __init__(self, clients: KmsClients) -> None:
        self._clients = clients
        self.listed = CallPeak()
        """Calls of ListGrants, of which an account has 100 a second in each Region."""

    def find_grant(self, *, key_arn: str, grant_id: str) -> ListedGrant | None:
        """Find the live grant of this id on the key."""
        try:
            return next(_all_grants(self._list_grants, KeyId=key_arn, GrantId=grant_id), None)
        except GrantNotFound:
            return None

    def list_grants_of(self, *, key_arn: str, grantee: str) -> Iterator[ListedGrant]:
        """List one grantee principal's live grants on a key; none where the key or the grantee is gone."""
        listed = _all_grants(self._list_grants, KeyId=key_arn, GranteePrincipal=grantee)
        try:
            yield from listed
        except GrantNotFound:
            # A key once deleted takes all its grants along.
            return
        except KmsRefused as error:
            # A principal once deleted is not listed by its ARN any more: its grants are void, and shown by
            # its id to whoever lists them all. That KMS says so in these words is not confirmed.
            if error.code != "InvalidArnException":
                raise

    def list_retirable_page(
        self, principal: str, region: str, *, marker: str | None = None
    ) -> tuple[list[ListedGrant], str | None]:
        """Read one page of a Region's live grants, on any key of any account, that this principal may retire.

        With the marker of the next page; None at the end.
        """
        start = {"Marker": marker} if marker else {}
        with kms_errors("ListRetirableGrants"):
            page = self._clients.in_region(region).list_retirable_grants(
                RetiringPrincipal=principal, Limit=_PAGE, **start
            )
        return _page_of(page)

    def list_grants_page(
        self, key_arn: str, *, limit: int = _PAGE, marker: str | None = None
    ) -> tuple[list[ListedGrant], str | None]:
        """Read one page of a key's grants, and the marker of the next; None at the end."""
        start = {"Marker": marker} if marker else {}
        with kms_errors("ListGrants"):
            page = self._list_grants(KeyId=key_arn, Limit=limit, **start)
        return _page_of(page)

    def _list_grants(self, **asked: Unpack["ListGrantsRequestTypeDef"]) -> "ListGrantsResponseTypeDef":
        self.listed.count(self._clients.region_of(asked["KeyId"]))
        return self._clients.of(asked["KeyId"]).list_grants(**asked)

    def list_key_policies(self, key_arn: str) -> list[str]:
        """List the names of the key's policies: `default`, and AWS_RAM where Resource Access Manager put one.

        KMS lists them within the key's own account only.
        """
        with kms_errors("ListKeyPolicies"):
            # There are two at most: no second page (KMS, ListKeyPolicies).
            return self._clients.of(key_arn).list_key_policies(KeyId=key_arn)["PolicyNames"]

    def get_key_policy(self, key_arn: str) -> str:
        """Read the key policy, JSON text. KMS shows it within the key's own account only."""
        with kms_errors("GetKeyPolicy"):
            return self._clients.of(key_arn).get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]

    def describe_key(self, key_arn: str) -> "KeyMetadataTypeDef":
        """Read DescribeKey's `KeyMetadata`."""
        with kms_errors("DescribeKey"):
            return self._clients.of(key_arn).describe_key(KeyId=key_arn)["KeyMetadata"]

    def find_last_use(self, key_arn: str) -> LastUse | None:
        """Find when the key was last used, by whomever; None where KMS does not tell.

        It tells within the key's own account only, and whoever has `kms:GetKeyLastUsage`, which key policies
        of earlier releases do not give. Nothing rests on it: it is shown.
        """
        try:
            with kms_errors("GetKeyLastUsage"):
                answer = self._clients.of(key_arn).get_key_last_usage(KeyId=key_arn)
        except (AttributeError, KmsRefused, KmsUncertain):
            # AttributeError: botocore has it since 2026, and the commands run with an older one too.
            return None
        usage = answer.get("KeyLastUsage") or {}
        since = [time for time in (answer.get("TrackingStartDate"), answer.get("KeyCreationDate")) if time]
        return LastUse(
            max(since, default=None),
            usage.get("Operation"),
            usage.get("Timestamp"),
            usage.get("CloudTrailEventId"),
        )


def _page_of(page: "ListGrantsResponseTypeDef") -> tuple[list[ListedGrant], str | None]:
    grants = [listed_grant(entry) for entry in page["Grants"]]
    return grants, page["NextMarker"] if page.get("Truncated") else None


def _all_grants(read: Callable[..., "ListGrantsResponseTypeDef"], **parameters: str) -> Iterator[ListedGrant]:
    marker: dict[str, str] = {}
    while True:
        with kms_errors("ListGrants"):
            page = read(Limit=_PAGE, **parameters, **marker)
        yield from map(listed_grant, page["Grants"])
        if not page.get("Truncated"):
            return
        marker = {"Marker": page["NextMarker"]}


def listed_grant(entry: "GrantListEntryTypeDef") -> ListedGrant:
    """Read one entry of a listing."""
    return ListedGrant(
        grant_id=entry["GrantId"],
        key_arn=entry["KeyId"],
        name=entry.get("Name", ""),
        grantee=entry.get("GranteePrincipal") or entry.get("GranteeServicePrincipal", ""),
        retiring_principal=entry.get("RetiringPrincipal"),
        operations=tuple(entry.get("Operations", ())),
        constraints=entry.get("Constraints", {}),
        # KMS always says when; what it did not say is as if it were made now.
        created_at=entry.get("CreationDate") or datetime.now(UTC),
        issuing_account=entry.get("IssuingAccount"),
    )
