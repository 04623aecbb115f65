"""The AWS clients, from one session. botocore reads region and credentials from Lambda's environment."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import get_session

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CreateClient = Callable[..., Any]
"""A session's way to make a client: botocore's `create_client`, or boto3's `client`."""

# As many as a run of `expiry` has threads and some: beyond that each call would make a connection of its own.
_CONNECTIONS = 16
# KMS is never retried by the SDK: each repeat must first look at the record again, and an answer that
# took longer than 3 s is treated as lost.
_KMS = Config(
    connect_timeout=2,
    read_timeout=3,
    max_pool_connections=_CONNECTIONS,
    retries={"total_max_attempts": 1, "mode": "standard"},
)
# Where KMS is only read the SDK may repeat: one throttled page must not cost a whole listing.
_READING = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 8, "mode": "standard"})
# A repeat inside one call is safe: botocore sends the same ClientRequestToken with each transaction.
_DYNAMODB = Config(
    connect_timeout=2,
    read_timeout=3,
    max_pool_connections=_CONNECTIONS,
    retries={"total_max_attempts": 3, "mode": "standard"},
)
# The stream repeats what these do not take: they give up well before the function's time is over.
_TELLING = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
# The signature covers the body, as of every other service; botocore would leave that to the checksum.
_ARCHIVING = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"total_max_attempts": 3, "mode": "standard"},
    s3={"payload_signing_enabled": True},
)
# Partners' buses, and what is said of their accounts: nobody of ours waits for either.
_BRIEFLY = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"})
# Two seconds in all, and once: whoever submits is waiting, and asks again.
_ASKING = Config(connect_timeout=0.5, read_timeout=1.5, retries={"total_max_attempts": 1, "mode": "standard"})


class Clients:
    """The AWS clients of one session, each made when it is asked for: a role has none that it cannot use."""

    def __init__(self, create_client: CreateClient) -> None:
        self._create = create_client

    def kms(self, region: str) -> "KMSClient":
        """Make a KMS client that gives up after 3 s and never retries a call by itself."""
        client: KMSClient = self._create("kms", region_name=region, config=_KMS)
        return client

    def reading_kms(self, region: str) -> "KMSClient":
        """Make a KMS client for those that change nothing there: it retries a throttled call."""
        client: KMSClient = self._create("kms", region_name=region, config=_READING)
        return client

    def dynamodb(self) -> "DynamoDBClient":
        """Make a DynamoDB client with three attempts a call."""
        client: DynamoDBClient = self._create("dynamodb", config=_DYNAMODB)
        return client

    def events(self) -> "EventBridgeClient":
        """Make an EventBridge client with three attempts a call."""
        client: EventBridgeClient = self._create("events", config=_TELLING)
        return client

    def partner_events(self) -> "EventBridgeClient":
        """Make an EventBridge client that gives up after some 6 s: for partners' buses."""
        client: EventBridgeClient = self._create("events", config=_BRIEFLY)
        return client

    def brief_dynamodb(self) -> "DynamoDBClient":
        """Make a DynamoDB client that gives up after some 6 s: for reads that are not waited for."""
        client: DynamoDBClient = self._create("dynamodb", config=_BRIEFLY)
        return client

    def ticket_hooks(self) -> "LambdaClient":
        """Make a Lambda client that gives up after 2 s and never retries a call by itself."""
        client: LambdaClient = self._create("lambda", config=_ASKING)
        return client

    def s3(self) -> "S3Client":
        """Make an S3 client with three attempts a call, whose signatures hold for what is sent."""
        client: S3Client = self._create("s3", config=_ARCHIVING)
        return client

    def sns(self) -> "SNSClient":
        """Make an SNS client with three attempts a call."""
        client: SNSClient = self._create("sns", config=_TELLING)
        return client

    def iam(self) -> "IAMClient":
        """Make an IAM client that retries a throttled call: for commands, no function reads IAM."""
        client: IAMClient = self._create("iam", config=_READING)
        return client

    def cloudformation(self) -> "CloudFormationClient":
        """Make a CloudFormation client that retries a throttled call: for commands alone."""
        client: CloudFormationClient = self._create("cloudformation", config=_READING)
        return client

    def sqs(self) -> "SQSClient":
        """Make an SQS client with three attempts a call."""
        client: SQSClient = self._create("sqs", config=_TELLING)
        return client


@cache
def clients() -> Clients:
    """The clients of this process, on one session: loading service models twice would double a cold start.

    The session is botocore's: boto3's makes the same clients, but loads S3's transfers with them.
    """
    return Clients(get_session().create_client)
