"""The embedded AWS over HTTP."""

import threading
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local_stack.cloud import Cloud
from tests.local_stack.server import serve


@pytest.mark.parametrize("hours", [0, 1])
def test_http_answers_only_fresh_signatures(hours: int) -> None:
    """A client with endpoint_url is answered, and refused where its signature is not of this time."""
    cloud = Cloud(lambda: datetime.now(UTC) + timedelta(hours=hours))
    root, server = cloud.root(), serve(cloud)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = boto3.client(
        "dynamodb",
        region_name="eu-central-1",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        aws_access_key_id=root.access_key_id,
        aws_secret_access_key=root.secret_access_key,
    )
    if hours:
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            client.list_tables()
    else:
        assert client.list_tables()["TableNames"] == []
    server.shutdown()
    server.server_close()
