"""Who the caller is, by STS."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.client.errors import CredentialsError

if TYPE_CHECKING:
    import boto3


def own_principal(session: "boto3.Session") -> str:
    """The caller's ARN: a user's, or of a role this very session, as STS leaves out the role's path."""
    try:
        return str(session.client("sts").get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        words = "sign in again, such as with aws sso login, or name a grantee"
        raise CredentialsError(f"STS does not say who calls ({error}): {words}") from error
