"""The function as Powertools' own examples would put it together, each utility where it is offered."""

import os

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig
from aws_lambda_powertools.utilities.parser import BaseModel
from aws_lambda_powertools.utilities.typing import LambdaContext
from aws_lambda_powertools.utilities.validation import validate

from tests.benchmarks.children.timing import Context, done, event, stage

logger = Logger(service="naive")
tracer = Tracer(service="naive", disabled=True)
metrics = Metrics(namespace="naive", service="naive")
app = APIGatewayRestResolver(enable_validation=True)
table = boto3.resource("dynamodb").Table(os.environ["REQUEST_TABLE"])  # noqa: TID251 - what it costs is the point
kms = boto3.client("kms")
processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
persistence = DynamoDBPersistenceLayer(table_name=os.environ["REQUEST_TABLE"])
config = IdempotencyConfig(event_key_jmespath="body")


class Submission(BaseModel):
    """What a third party submits."""

    key: str
    grantee: str
    operations: list[str]
    encryption_context: dict[str, str]
    duration: str
    reason: str


class Made(BaseModel):
    """What it is told."""

    id: str
    policy: str


@app.post("/requests")
@tracer.capture_method
def post_request(submission: Submission) -> Made:
    """One read of the table, one of the key."""
    validate(event=submission.model_dump(), schema={"type": "object", "required": ["key", "grantee"]})
    table.get_item(Key={"pk": "request#1", "sk": "request"})
    found = kms.get_key_policy(KeyId=os.environ["BENCHMARK_KEY"])
    return Made(id="1", policy=found["Policy"])


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
    """One API call."""
    return app.resolve(event, context)


stage("init")
answer = lambda_handler(event(), Context())
if answer["statusCode"] not in {200, 201}:
    raise SystemExit(answer["body"])
stage("first")
done()
