"""The AWS clients, from one session. botocore reads region and credentials from Lambda's environment."""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
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


@cache
def session() -> boto3.Session:
    """The one session of this process: loading service models twice would double a cold start."""
    return boto3.Session()


def kms_client(of: boto3.Session | None = None) -> "KMSClient":
    """A KMS client that gives up after 3 s and never repeats a call by itself."""
    return (of or session()).client("kms", config=_KMS)


def reading_kms_client(of: boto3.Session | None = None) -> "KMSClient":
    """A KMS client for functions and commands that change nothing there: it repeats a throttled call."""
    return (of or session()).client("kms", config=_READING)


def dynamodb_client(of: boto3.Session | None = None) -> "DynamoDBClient":
    """A DynamoDB client with three attempts a call."""
    return (of or session()).client("dynamodb", config=_DYNAMODB)


def events_client(of: boto3.Session | None = None) -> "EventBridgeClient":
    """An EventBridge client with three attempts a call."""
    return (of or session()).client("events", config=_TELLING)


def sns_client(of: boto3.Session | None = None) -> "SNSClient":
    """An SNS client with three attempts a call."""
    return (of or session()).client("sns", config=_TELLING)


def sqs_client(of: boto3.Session | None = None) -> "SQSClient":
    """An SQS client with three attempts a call."""
    return (of or session()).client("sqs", config=_TELLING)
