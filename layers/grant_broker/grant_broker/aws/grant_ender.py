"""The right that `expiry` alone holds: to end grants."""

from grant_broker.aws.kms_clients import KmsClients
from grant_broker.aws.kms_errors import kms_errors


class GrantEnder:
    """KMS's RetireGrant and RevokeGrant. Both raise GrantNotFound where KMS knows no such grant."""

    def __init__(self, clients: KmsClients) -> None:
        self._clients = clients

    def retire_grant(self, *, key_arn: str, grant_id: str) -> None:
        """End a grant as its retiring principal, which needs no policy."""
        with kms_errors("RetireGrant"):
            self._clients.of(key_arn).retire_grant(KeyId=key_arn, GrantId=grant_id)

    def retire_grant_by_token(self, *, key_arn: str, grant_token: str) -> None:
        """End a grant that KMS may not find by its id yet, since it is new. The key says in which Region."""
        with kms_errors("RetireGrant"):
            self._clients.of(key_arn).retire_grant(GrantToken=grant_token)

    def revoke_grant(self, *, key_arn: str, grant_id: str) -> None:
        """End any grant on the key, which needs kms:RevokeGrant."""
        with kms_errors("RevokeGrant"):
            self._clients.of(key_arn).revoke_grant(KeyId=key_arn, GrantId=grant_id)
