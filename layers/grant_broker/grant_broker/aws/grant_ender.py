"""The right that `expiry` alone holds: to end grants."""

from typing import TYPE_CHECKING

from grant_broker.aws.kms_errors import kms_errors

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class GrantEnder:
    """KMS's RetireGrant and RevokeGrant. Both raise GrantNotFound where KMS knows no such grant."""

    def __init__(self, client: "KMSClient") -> None:
        self._client = client

    def retire_grant(self, *, key_arn: str, grant_id: str) -> None:
        """End a grant as its retiring principal, which needs no policy."""
        with kms_errors("RetireGrant"):
            self._client.retire_grant(KeyId=key_arn, GrantId=grant_id)

    def retire_grant_by_token(self, grant_token: str) -> None:
        """End a grant that KMS may not find by its id yet, since it is new."""
        with kms_errors("RetireGrant"):
            self._client.retire_grant(GrantToken=grant_token)

    def revoke_grant(self, *, key_arn: str, grant_id: str) -> None:
        """End any grant on the key, which needs kms:RevokeGrant."""
        with kms_errors("RevokeGrant"):
            self._client.revoke_grant(KeyId=key_arn, GrantId=grant_id)
