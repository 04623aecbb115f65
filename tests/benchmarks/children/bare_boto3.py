"""The least that a function with these two clients can be: boto3, no framework, two calls."""

import json
import os

import boto3
from botocore.config import Config

from tests.benchmarks.children.timing import Context, done, event, stage

CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})
session = boto3.Session()
kms = session.client("kms", config=CONFIG)
dynamodb = session.client("dynamodb", config=CONFIG)


def lambda_handler(event: dict[str, str], _context: Context) -> dict[str, object]:
    """One read of the table, one of the key."""
    asked = json.loads(event["body"])
    key = {"pk": {"S": "request#1"}, "sk": {"S": "request"}}
    dynamodb.get_item(TableName=os.environ["REQUEST_TABLE"], Key=key)
    found = kms.get_key_policy(KeyId=os.environ["BENCHMARK_KEY"])
    return {"statusCode": 201, "body": json.dumps({**asked, "policy": found["Policy"]})}


stage("init")
lambda_handler(event(), Context())
stage("first")
done()
