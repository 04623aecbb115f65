"""A stack that does not look for the use of grants, as it is by default."""

import pytest
from botocore.exceptions import ClientError

from grant_broker.events.settings import EventsSettings
from tests.support.scene import InProcessStack


def test_where_nobody_looks(deployed: InProcessStack) -> None:
    """Without the parameter nothing is said of use, and neither queue nor rule nor right is made."""
    deployed.reset()
    assert deployed.call("partner", "GET", f"/requests/{deployed.active()}").body["usage"] is None
    assert EventsSettings.from_environment(deployed.deployment.environment("events")).usage_queue == "none"
    assert not {"UsageQueue", "KeyUsed"} & set(deployed.deployment.template.named(
        "AWS::SQS::Queue", "AWS::Events::Rule"
    ))  # fmt: skip
    client = deployed.cloud.session(deployed.deployment.credentials("events")).client("dynamodb")
    key = {"pk": {"S": "usage#" + "0" * 32}, "sk": {"S": "usage"}}
    with pytest.raises(ClientError, match="AccessDenied"):
        client.update_item(TableName=deployed.deployment.request_table, Key=key)
