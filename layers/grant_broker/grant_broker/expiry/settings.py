"""What `expiry` is told by its environment."""

from grant_broker.settings import Count, GrantSettings, Text


class ExpirySettings(GrantSettings):
    """What `expiry` is told. `end_rate` is how many grants it may end a second."""

    approval_table: Text
    end_rate: Count
    smallest_duration: Count
