"""Why calls to KMS fail, as metrics tell it."""

import pytest

from grant_broker.domain.failures import reason_of


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ThrottlingException", "Throttled"),
        ("AccessDeniedException", "NotPermitted"),
        ("DisabledException", "KeyUnusable"),
        ("KMSInvalidStateException", "KeyUnusable"),
        ("NotFoundException", "NotFound"),
        ("InvalidArnException", "NotFound"),
        ("NotOurs", "NotOurs"),
        ("KMSInternalException", "NoAnswer"),
        ("ReadTimeoutError", "NoAnswer"),
    ],
)
def test_reason(code: str, expected: str) -> None:
    """Each kind of code has one reason, and what says nothing of why is no answer."""
    assert reason_of(code) == expected
