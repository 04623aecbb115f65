"""What an AWS error says about the call's effect."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ParamValidationError

from grant_broker.aws.answers import code_of, uncertain
from tests.support.scripted_client import refusal


@pytest.mark.parametrize(
    ("error", "code", "unknown"),
    [
        (refusal("ThrottlingException"), "ThrottlingException", True),
        (refusal("DependencyTimeoutException", 500), "DependencyTimeoutException", True),
        (refusal("DependencyTimeoutException"), "DependencyTimeoutException", True),
        (refusal("Anything", 500), "Anything", True),
        (refusal("ExpiredTokenException"), "ExpiredTokenException", True),
        (refusal("AccessDeniedException"), "AccessDeniedException", False),
        (refusal("LimitExceededException"), "LimitExceededException", False),
        (refusal("ValidationError"), "ValidationError", False),
        (ClientError({}, "Call"), "Unknown", False),
        (ConnectTimeoutError(endpoint_url="https://kms"), "ConnectTimeoutError", True),
        (ParamValidationError(report="x"), "ParamValidationError", False),
    ],
)
def test_answer(error: ClientError, code: str, *, unknown: bool) -> None:
    """A refusal had no effect; a throttle, a server's error and a lost answer leave it open."""
    assert (code_of(error), uncertain(error)) == (code, unknown)
