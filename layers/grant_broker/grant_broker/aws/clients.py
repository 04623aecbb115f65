"""The AWS clients, from one session. botocore reads region and credentials from Lambda's environment."""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# KMS is never retried by the SDK: each repeat must first look at the record again, and an answer that
# took longer than 3 s is treated as lost.
_KMS = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1, "mode": "standard"})
# Where KMS is only read the SDK may repeat: one throttled page must not cost a whole listing.
_READING = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 8, "mode": "standard"})
# A repeat inside one call is safe: botocore sends the same ClientRequestToken with each transaction.
_DYNAMODB = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})
# The stream repeats what these do not take: they give up well before the function's time is over.
_TELLING = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})


class Clients:
    """The AWS clients of one session, each made when it is asked for: a role has none that it cannot use."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session

    def kms(self) -> "KMSClient":
        """Make a KMS client that gives up after 3 s and never retries a call by itself."""
        return self._session.client("kms", config=_KMS)

    def reading_kms(self) -> "KMSClient":
        """Make a KMS client for those that change nothing there: it retries a throttled call."""
        return self._session.client("kms", config=_READING)

    def dynamodb(self) -> "DynamoDBClient":
        """Make a DynamoDB client with three attempts a call."""
        return self._session.client("dynamodb", config=_DYNAMODB)

    def events(self) -> "EventBridgeClient":
        """Make an EventBridge client with three attempts a call."""
        return self._session.client("events", config=_TELLING)

    def sns(self) -> "SNSClient":
        """Make an SNS client with three attempts a call."""
        return self._session.client("sns", config=_TELLING)

    def iam(self) -> "IAMClient":
        """Make an IAM client that retries a throttled call: for commands, no function reads IAM."""
        return self._session.client("iam", config=_READING)

    def cloudformation(self) -> "CloudFormationClient":
        """Make a CloudFormation client that retries a throttled call: for commands alone."""
        return self._session.client("cloudformation", config=_READING)

    def sqs(self) -> "SQSClient":
        """Make an SQS client with three attempts a call."""
        return self._session.client("sqs", config=_TELLING)


@cache
def clients() -> Clients:
    """The clients of this process, on one session: loading service models twice would double a cold start."""
    return Clients(boto3.Session())
