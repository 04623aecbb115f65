"""What `events` is told by its environment."""

from grant_broker.settings import Settings, Text


class EventsSettings(Settings):
    """What `events` is told. Mails are gathered in the queue and sent to the topic.

    Of the approval table it may read what is said of accounts, and nothing else.
    """

    approval_table: Text
    mail_queue: Text
    mail_topic: Text
    usage_queue: Text
    """The ARN of the queue of CloudTrail's events; `none` where nobody looks for use."""
