"""Raw requests: signatures that do not hold, bodies that are nothing, headers that would smuggle."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys

from tests.integration.local_aws.world import HOME, PARTNER, START, World, policy, statement
from tests.local_aws.answers import Response
from tests.local_aws.cloud import Cloud, Credentials

URL = "http://127.0.0.1:1/"
TARGET = {"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1"}


def _signed(
    who: Credentials, body: bytes, headers: dict[str, str], service: str = "kms", region: str = "eu-central-1"
) -> dict[str, str]:
    request = AWSRequest("POST", URL, data=body, headers={"Host": "127.0.0.1:1", **headers})
    keys = Keys(who.access_key_id, who.secret_access_key, who.session_token or None)
    SigV4Auth(keys, service, region).add_auth(request)
    return dict(request.headers.items())


def _fresh(
    cloud: Cloud, headers: dict[str, str], body: bytes = b"{}", method: str = "POST", url: str = URL
) -> Response:
    """The answer at the moment at which the request was signed."""
    stamp = headers.get("X-Amz-Date", "20300101T000000Z")
    cloud.clock = lambda: START.strptime(stamp + "+0000", "%Y%m%dT%H%M%SZ%z")
    return cloud.handle(method, url, headers, body)


def _code(answer: Response) -> tuple[int, str]:
    return answer[0], answer[1].get("x-amzn-ErrorType", "")


def test_right(world: World) -> None:
    """A rightly signed request is answered."""
    status, _, body = _fresh(world.cloud, _signed(world.cloud.root(), b"{}", TARGET))
    assert (status, len(json.loads(body)["Keys"])) == (200, 1)


def test_other_account_header(world: World) -> None:
    """moto's header for the account is never honoured, signed or not."""
    who = world.cloud.session_for(world.partner, "s")
    world.allow(world.partner, "kms:ListKeys", "dynamodb:ListTables")
    world.as_root("sns").create_topic(Name="home")
    signed = _signed(who, b"{}", {**TARGET, "x-moto-account-id": HOME})
    assert json.loads(_fresh(world.cloud, signed)[2])["Keys"] == []
    form = b"Action=ListTopics&Version=2010-03-31"
    kind = {"Content-Type": "application/x-www-form-urlencoded", "x-moto-account-id": HOME}
    world.allow(world.partner, "sns:ListTopics")
    answer = _fresh(world.cloud, _signed(who, form, kind, "sns"), form)
    assert answer[0] == 200
    assert PARTNER in world.partner
    assert HOME.encode() not in answer[2]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Authorization": None}, "MissingAuthenticationTokenException"),
        ({"Authorization": "Bearer x"}, "IncompleteSignatureException"),
        ({"X-Amz-Date": None}, "InvalidSignatureException"),
        ({"X-Amz-Date": "yesterday"}, "IncompleteSignatureException"),
        ({"Host": "kms.eu-central-1.amazonaws.com"}, "InvalidSignatureException"),
        ({"X-Amz-Target": "TrentService.ListAliases"}, "InvalidSignatureException"),
        ({"x-amz-target": "TrentService.ListAliases"}, "InvalidSignatureException"),
        ({"X-Amz-Security-Token": "other"}, "UnrecognizedClientException"),
        ({"X-Amz-Unsigned": "x"}, "InvalidSignatureException"),
        ({"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, "InvalidSignatureException"),
    ],
)
def test_changed_headers(world: World, changes: dict[str, str | None], expected: str) -> None:
    """What a signature covers cannot be changed, doubled or left out, and what it must cover not added."""
    who = world.cloud.session_for(world.app, "s")
    changed: dict[str, Any] = _signed(who, b"{}", TARGET) | changes
    headers = {name: value for name, value in changed.items() if value is not None}
    stamp = {"X-Amz-Date": "20300101T000000Z"} if changes.get("X-Amz-Date") else {}
    world.cloud.clock = lambda: START
    answer = _fresh(world.cloud, headers) if not stamp else world.cloud.handle("POST", URL, headers, b"{}")
    assert _code(answer) == (403, expected)


def test_changed_body_and_secret(world: World) -> None:
    """Another body, another secret, an unknown key: refused."""
    who, headers = world.cloud.root(), _signed(world.cloud.root(), b"{}", TARGET)
    assert _code(_fresh(world.cloud, headers, b'{"Limit": 1}')) == (403, "InvalidSignatureException")
    wrong = Credentials(who.arn, who.account, who.access_key_id, "x" * 40)
    assert _code(_fresh(world.cloud, _signed(wrong, b"{}", TARGET))) == (403, "InvalidSignatureException")
    unknown = Credentials(who.arn, who.account, "AKIAUNKNOWN", "x" * 40)
    assert _code(_fresh(world.cloud, _signed(unknown, b"{}", TARGET))) == (403, "UnrecognizedClientException")


@pytest.mark.parametrize(
    ("service", "region", "expected"),
    [
        ("athena", "eu-central-1", "InvalidSignatureException"),
        ("execute-api", "eu-central-1", "InvalidSignatureException"),
        ("kms", "us-east-1", "InvalidSignatureException"),
        ("dynamodb", "eu-central-1", "AccessDeniedException"),
    ],
)
def test_scope(world: World, service: str, region: str, expected: str) -> None:
    """A signature holds for its service and Region: one for DynamoDB reaches DynamoDB alone."""
    who = world.cloud.session_for(world.app, "s")
    world.allow(world.app, "kms:*")
    assert _code(_fresh(world.cloud, _signed(who, b"{}", TARGET, service, region)))[1] == expected


def test_age(world: World) -> None:
    """A signature older than a quarter of an hour, or from the future, is refused."""
    headers = _signed(world.cloud.root(), b"{}", TARGET)
    signed_at = START.strptime(headers["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    for minutes, status in ((14, 200), (-14, 200), (16, 403), (-16, 403)):
        world.cloud.clock = partial(signed_at.__add__, timedelta(minutes=minutes))
        assert world.cloud.handle("POST", URL, headers, b"{}")[0] == status


def test_presigned(world: World) -> None:
    """A signature in the query is none."""
    request = AWSRequest("POST", URL, data=b"{}", headers=TARGET)
    root = world.cloud.root()
    SigV4QueryAuth(Keys(root.access_key_id, root.secret_access_key), "kms", "eu-central-1").add_auth(request)
    answer = _fresh(world.cloud, {"Host": "127.0.0.1:1", **TARGET}, url=str(request.url))
    assert _code(answer) == (403, "MissingAuthenticationTokenException")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", 200),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        ("{}".encode("utf-16"), 400),
        (b"[" * 100_000, 400),
        (b'{"Limit": "x"}', 400),
        (b'{"Limit": true}', 400),
        (b'{"Bogus": 1}', 400),
        (b'{"Limit": null}', 200),
    ],
)
def test_bodies(world: World, body: bytes, expected: int) -> None:
    """A body that is no object of the operation's shape is refused, whatever it is."""
    assert _fresh(world.cloud, _signed(world.cloud.root(), body, TARGET), body)[0] == expected


@pytest.mark.parametrize("target", ["", "TrentService.", "TrentService.Fly", "TrentService.__class__"])
def test_unknown_operations(world: World, target: str) -> None:
    """An operation that KMS does not have is refused."""
    headers = _signed(world.cloud.root(), b"{}", TARGET | {"X-Amz-Target": target})
    assert _code(_fresh(world.cloud, headers)) == (400, "UnknownOperationException")


def test_smuggled_operation(world: World) -> None:
    """An Action in the URL or in a JSON body is no operation: what was decided is what is done."""
    who = world.cloud.session_for(world.app, "s")
    world.as_root("dynamodb").create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    world.allow(world.app, "dynamodb:DescribeTable")
    headers = TARGET | {"X-Amz-Target": "DynamoDB_20120810.DescribeTable"}
    body = json.dumps({"TableName": "t", "X": "&Action=DeleteTable&TableName=t&"}).encode()
    answer = _fresh(world.cloud, _signed(who, body, headers, "dynamodb"), body)
    assert b"TableStatus" in answer[2]
    assert world.as_root("dynamodb").list_tables()["TableNames"] == ["t"]


def test_query_protocol(world: World) -> None:
    """Forms are refused in XML where a parameter comes twice, is no form or names nothing."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"Action=GetCallerIdentity&Action=AssumeRole", b"nothing", b"\xff", b"Version=1"):
        status, headers, text = _fresh(world.cloud, _signed(world.cloud.root(), body, kind, "sts"), body)
        assert status >= 400
        assert headers["Content-Type"] == "text/xml"
        assert text.startswith(b"<ErrorResponse>")


def test_unverified(world: World) -> None:
    """Without verification a caller is still somebody, and still decided by."""
    cloud = Cloud(lambda: START, verify_signatures=False)
    headers = _signed(cloud.root(), b"{}", TARGET)
    assert cloud.handle("POST", URL, headers | {"X-Amz-Date": "x"}, b"{}")[0] == 200
    assert cloud.handle("POST", URL, _signed(world.cloud.root(), b"{}", TARGET), b"{}")[0] == 403
    role = cloud.session_for(cloud.create_role("app", []), "s")
    assert _code(cloud.handle("POST", URL, _signed(role, b"{}", TARGET), b"{}"))[1] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("target", "given"),
    [
        ("DynamoDB_20120810.DescribeTable", {"TableName": 5}),
        ("DynamoDB_20120810.TagResource", {"ResourceArn": 5}),
        ("DynamoDB_20120810.TransactWriteItems", {"TransactItems": [{"Fly": {"TableName": "t"}}]}),
        ("DynamoDB_20120810.TransactWriteItems", {"TransactItems": {"Put": 1}}),
        ("DynamoDB_20120810.BatchGetItem", {"RequestItems": 5}),
        ("DynamoDBStreams_20120810.GetRecords", {}),
    ],
)
def test_malformed_parameters(world: World, target: str, given: dict[str, Any]) -> None:
    """Parameters from which no resource can be read are refused, not answered with a fault."""
    body = json.dumps(given).encode()
    signed = _signed(world.cloud.root(), body, TARGET | {"X-Amz-Target": target}, "dynamodb")
    assert _code(_fresh(world.cloud, signed, body)) == (400, "ValidationException")


@pytest.mark.parametrize(
    ("service", "target", "given"),
    [
        ("sqs", "AmazonSQS.DeleteQueue", {"QueueName": "mine", "QueueUrl": "https://x/111122223333/other"}),
        ("dynamodb", "DynamoDB_20120810.TagResource", {"TableName": "mine", "ResourceArn": "arn:other"}),
        ("dynamodb", "DynamoDB_20120810.DeleteTable", {"TableName": "t", "IndexName": "mine"}),
    ],
)
def test_two_names(world: World, service: str, target: str, given: dict[str, str]) -> None:
    """Naming what one may touch beside what one may not opens nothing."""
    world.cloud.put_role_policies(world.app, [policy(statement(f"{service}:*", Resource="*mine"))])
    body, who = json.dumps(given).encode(), world.cloud.session_for(world.app, "s")
    signed = _signed(who, body, TARGET | {"X-Amz-Target": target}, service)
    assert _code(_fresh(world.cloud, signed, body))[1] == "AccessDeniedException"


def test_no_host(world: World) -> None:
    """A URL that is none is refused."""
    headers = _signed(world.cloud.root(), b"{}", TARGET)
    assert _code(_fresh(world.cloud, headers, url="http://[/")) == (403, "InvalidSignatureException")
