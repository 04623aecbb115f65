"""The same AWS calls as `warm` makes for one submission, from JSON to JSON, with nothing around them."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.session import Session

from tests.benchmarks.children.timing import done, event, stage

REQUESTS = 12
CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1, "mode": "standard"})
session = Session()
clients = {name: session.create_client(name, config=CONFIG) for name in ("dynamodb", "kms")}
# Written by the process before, of the same round.
calls = pickle.loads(Path(os.environ["BENCHMARK_CALLS"]).read_bytes())  # noqa: S301


def repeatable(params: dict[str, Any]) -> dict[str, Any]:
    """A call that succeeds again: what was new once is not new any more."""
    for item in params.get("TransactItems", ()):
        if put := item.get("Put"):
            put.pop("ConditionExpression", None)
            put.pop("ExpressionAttributeValues", None)
    params.pop("ClientRequestToken", None)
    return params


made = [(getattr(clients[service], xform_name(name)), repeatable(params)) for service, name, params in calls]


def submit() -> str:
    """One submission's worth of calls."""
    asked = json.loads(event()["body"])
    answers = [call(**params) for call, params in made]
    return json.dumps({**asked, "grant_id": [each.get("GrantId") for each in answers][-2]})


for _ in range(3):
    submit()
stage("warm")
for _ in range(REQUESTS):
    submit()
stage("submissions")
done()
