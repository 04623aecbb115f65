"""KMS's errors, told apart by what they say about the call's effect."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.answers import code_of, uncertain
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain

# Of these calls NotFoundException means that the grant, or the key with all its grants, is gone.
_OF_GRANTS = frozenset({"RetireGrant", "RevokeGrant", "ListGrants"})


@contextmanager
def kms_errors(operation: str) -> Iterator[None]:
    """Raise KmsUncertain, KmsRefused or GrantNotFound instead of botocore's errors."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        code = code_of(error)
        if uncertain(error):
            raise KmsUncertain(code, f"KMS did not answer {operation}") from error
        if code == "NotFoundException" and operation in _OF_GRANTS:
            raise GrantNotFound(str(error)) from error
        raise KmsRefused(code, str(error)) from error
