"""The security team's mails: a queue that gathers what they are about, and the topic that sends them."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.batches import batches
from grant_broker.domain.mail import Mail
from grant_broker.domain.notices import Notice

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_LOG = logging.getLogger(__name__)
_MOST, _LARGEST = 10, 256_000  # entries and bytes of one SendMessageBatch call


class MailQueue:
    """Where notices wait until a mail takes them along: a mail for each would be too many."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, notices: Sequence[Notice]) -> list[bool]:
        """Queue notices; for each, in order, whether SQS took it."""
        bodies = [notice.model_dump_json() for notice in notices]
        return [
            taken
            for batch in batches(bodies, lambda body: len(body.encode()), most=_MOST, largest=_LARGEST)
            for taken in self._sent(batch)
        ]

    def _sent(self, bodies: Sequence[str]) -> list[bool]:
        try:
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)],
            )
        except (ClientError, BotoCoreError) as error:
            _LOG.error("SQS did not take notices: %s", error)
            return [False] * len(bodies)
        if failed := answer.get("Failed"):
            _LOG.warning("SQS refused notices: %s", sorted({entry["Code"] for entry in failed}))
        refused = {entry["Id"] for entry in failed or ()}
        return [str(place) not in refused for place in range(len(bodies))]


class MailTopic:
    """The topic that the security team is subscribed to."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, mail: Mail) -> None:
        """Send a mail. Raises botocore's errors: SQS delivers what it was made of again."""
        self._client.publish(TopicArn=self._arn, Subject=mail.subject, Message=mail.message)
