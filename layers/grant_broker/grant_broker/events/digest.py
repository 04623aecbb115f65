"""Mails to the security team, so few that no subscription is suspended, whatever happens how often."""

import time
from collections.abc import Callable, Sequence

from grant_broker.aws.mails import MailTopic
from grant_broker.domain.mail import compose_digest
from grant_broker.domain.queued_notices import read_notice

PAUSE = 20.0
"""Seconds that pass before each mail."""


def send_digest(topic: MailTopic, bodies: Sequence[str], sleep: Callable[[float], None] = time.sleep) -> None:
    """Send one mail about all that was queued. Raises botocore's errors: SQS delivers everything again.

    SNS suspends an e-mail subscription that gets more than 10 messages a second. Lambda runs this at most
    twice at a time (`MaximumConcurrency` of the queue's event source), and each run waits first and sends one
    mail last: of two runs' mails in the same place PAUSE seconds lie between any two, so that no second sees
    more than 2 mails and a minute at most 8. It waits before, not after: a run that breaks off
    once its mail is sent gives its place to one that waits again. Meanwhile the queue gathers what comes.
    """
    sleep(PAUSE)
    topic.publish(compose_digest([read_notice(body) for body in bodies]))
