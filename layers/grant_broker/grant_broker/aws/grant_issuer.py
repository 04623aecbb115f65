"""The right that `requests` alone holds: to create grants."""

from typing import TYPE_CHECKING, cast

from grant_broker.aws.kms_clients import KmsClients
from grant_broker.aws.kms_errors import kms_errors
from grant_broker.domain.errors import KmsRefused, KmsUncertain
from grant_broker.domain.scope import Scope

if TYPE_CHECKING:
    from mypy_boto3_kms.literals import GrantOperationType
    from mypy_boto3_kms.type_defs import CreateGrantRequestTypeDef, GrantConstraintsTypeDef


class GrantIssuer:
    """KMS's CreateGrant, for real and as a dry run."""

    def __init__(self, clients: KmsClients) -> None:
        self._clients = clients

    def create_grant(
        self, *, key_arn: str, grantee: str, retiring_principal: str, scope: Scope, name: str
    ) -> tuple[str, str]:
        """Create a grant and return its id and token. A retry with the same Name gives the same grant.

        Raises KmsRefused where KMS refused for certain, KmsUncertain where the grant may exist.
        """
        asked = _parameters(key_arn, grantee, retiring_principal, scope)
        asked["Name"] = name
        with kms_errors("CreateGrant"):
            answer = self._clients.of(key_arn).create_grant(**asked)
        return answer["GrantId"], answer["GrantToken"]

    def try_create_grant(self, *, key_arn: str, grantee: str, retiring_principal: str, scope: Scope) -> None:
        """Ask KMS whether it would create this grant, without creating it (DryRun).

        Raises KmsRefused where it would not, KmsUncertain where it did not say.
        """
        asked = _parameters(key_arn, grantee, retiring_principal, scope)
        asked["DryRun"] = True
        try:
            with kms_errors("CreateGrant"):
                self._clients.of(key_arn).create_grant(**asked)
        except KmsRefused as error:
            # A dry run never ends otherwise than in an error; this one says that all is well.
            if error.code != "DryRunOperationException":
                raise
            return
        raise KmsUncertain("DryRun", "KMS did not take this as a dry run")


def _parameters(
    key_arn: str, grantee: str, retiring_principal: str, scope: Scope
) -> "CreateGrantRequestTypeDef":
    return {
        "KeyId": key_arn,
        "GranteePrincipal": grantee,
        "RetiringPrincipal": retiring_principal,
        "Operations": cast("list[GrantOperationType]", list(scope.operations)),
        "Constraints": cast("GrantConstraintsTypeDef", scope.constraints),
    }
