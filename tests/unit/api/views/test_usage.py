"""What is known of use, as the API shows it."""

from datetime import UTC, datetime

from grant_broker.api.views.usage import last_use_view
from grant_broker.domain.key_usage import LastUse

AT = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_key_that_kms_saw_no_use_of() -> None:
    """That KMS saw no use is told with since when it looks; where it does not tell there is nothing."""
    assert last_use_view(None) is None
    assert last_use_view(LastUse(AT)) == {
        "at": None,
        "operation": None,
        "event_id": None,
        "since": "2030-01-01T00:00:00Z",
    }
    assert last_use_view(LastUse(None)) == {"at": None, "operation": None, "event_id": None, "since": None}
