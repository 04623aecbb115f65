"""The least that a function with these two clients can be: botocore with trimmed models."""

import os

from botocore.config import Config
from botocore.session import Session

from tests.benchmarks.children.timing import done, stage

CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})
session = Session()
kms = session.create_client("kms", region_name=os.environ["AWS_REGION"], config=CONFIG)
dynamodb = session.create_client("dynamodb", region_name=os.environ["AWS_REGION"], config=CONFIG)
stage("init")
done()
