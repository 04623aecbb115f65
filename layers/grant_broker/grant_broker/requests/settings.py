"""What `requests` is told by its environment."""

from typing import Literal

from grant_broker.approval_settings import ApiSettings
from grant_broker.settings import Count, Text, Wait


class RequestsSettings(ApiSettings):
    """What `requests` is told."""

    requests_role: Text
    ticket_hook_failure: Literal["closed", "open"]
    """Whether a ticket that cannot be checked keeps a request from going on."""
    answer_within: Wait
    submissions_per_minute: Count
    stored_bytes_per_hour: Count
    open_per_account: Count
    open_per_grantee: Count
    pending_per_account: Count
    end_rate: Count
