"""SNS: where the security team's mails go."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.domain.mail import Mail

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class Mailbox:
    """The topic that the security team is subscribed to; without one nothing is sent."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, mail: Mail | None) -> bool:
        """Publish a mail; whether SNS took it, or there was nothing to send."""
        if mail is None or not self._topic_arn:
            return True
        try:
            self._client.publish(TopicArn=self._topic_arn, Subject=mail.subject, Message=mail.message)
        except (ClientError, BotoCoreError):
            return False
        return True
