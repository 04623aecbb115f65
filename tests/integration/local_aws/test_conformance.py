"""`grant-broker doctor --conformance` on the local KMS, which is what it compares AWS with."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from grant_broker.client.doctor.probes import PROBES
from grant_broker.client.main import main
from grant_broker.policy_engine import KeyCase
from tests.integration.local_aws.world import HOME, naming, policy, root, statement
from tests.local_aws import server
from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.cloud import AwsCall, Cloud

_ELSEWHERE = "777788889999"
HTTP_OK = 200
_FOUND = dict[str, dict[str, str]]


class Laboratory:
    """An AWS over HTTP, and an administrator who tries it."""

    def __init__(self, cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
        self.cloud, self._capsys = cloud, capsys
        whole = policy(naming([root(_ELSEWHERE), root()], "kms:*"))
        self.foreign_key = cloud.create_key(whole, _ELSEWHERE)

    def conform(self, *words: str) -> tuple[int, _FOUND]:
        """Exit code, and findings by the name of their probe."""
        self._capsys.readouterr()
        given = ("--conformance", "--yes", "--patience", "0", "--output", "json")
        code = main(["doctor", *given, "--foreign-key", self.foreign_key, *words])
        return code, {each["check"]: each for each in json.loads(self._capsys.readouterr().out)}


@pytest.fixture
def laboratory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Laboratory]:
    """An administrator of the home account, by HTTP."""
    cloud = Cloud(lambda: datetime.now(UTC))
    role = cloud.create_role("administrator", [policy(statement("*"))])
    who = cloud.session_for(role, "trial")
    listening = server.serve(cloud, 0)
    threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listening.server_port}")
    monkeypatch.setenv("AWS_REGION", cloud.region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", cloud.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", who.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", who.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", who.session_token)
    try:
        yield Laboratory(cloud, capsys)
    finally:
        listening.shutdown()
        listening.server_close()


def states(found: _FOUND, state: str) -> set[str]:
    """The probes that came out so."""
    return {name for name, each in found.items() if each["state"] == state}


def test_the_local_kms_matches_itself(laboratory: Laboratory) -> None:
    """Every expected answer is the strict local KMS's; Lambda's key is not there to be probed."""
    code, found = laboratory.conform()
    assert {name: each for name, each in found.items() if each["state"] == "fault"} == {}
    assert set(found) == set(PROBES)
    assert states(found, "not known") == {"alias of Lambda's key"}
    assert code == 4


def _accept_empty(laboratory: Laboratory) -> None:
    laboratory.cloud.kms.readings.accepts_empty_constraints = True


def _exact_case(laboratory: Laboratory) -> None:
    laboratory.cloud.kms.readings.constraint_keys = KeyCase.EXACT


def _show_ids(laboratory: Laboratory) -> None:
    laboratory.cloud.kms.readings.ids_shown_for = timedelta(minutes=5)


def _answer(service: str, operation: str, code: str) -> Callable[[Laboratory], None]:
    """Have this operation refused with the code."""

    def refuse(call: AwsCall, run: Callable[[], Response]) -> Response:
        wanted = (call.service, call.operation) == (service, operation)
        return AwsError(code, "planted").response() if wanted else run()

    return lambda laboratory: setattr(laboratory.cloud, "intercept", refuse)


def _issue_as_other(laboratory: Laboratory) -> None:
    """Say that grants were issued under the key's account."""

    def change(call: AwsCall, run: Callable[[], Response]) -> Response:
        status, headers, body = run()
        if call.operation == "ListGrants":
            body = body.replace(root(HOME).encode(), root(_ELSEWHERE).encode())
        return status, headers, body

    laboratory.cloud.intercept = change


@pytest.mark.parametrize(
    ("other_reading", "probe", "came"),
    [
        (_accept_empty, "empty constraint", "DryRunOperationException"),
        (_exact_case, "case in constraints", "AccessDeniedException"),
        (_show_ids, "young grantee", "an id"),
        (_answer("kms", "DescribeKey", "NotFoundException"), "missing foreign key", "NotFoundException"),
        (
            _answer("kms", "PutKeyPolicy", "NotFoundException"),
            "second key policy",
            "default; NotFoundException",
        ),
        (
            _answer("dynamodb", "TransactWriteItems", "AccessDeniedException"),
            "leading keys",
            "AccessDeniedException by its own key, AccessDeniedException by another's",
        ),
        (_issue_as_other, "IssuingAccount", root(_ELSEWHERE)),
    ],
)
def test_another_reading_is_a_mismatch(
    laboratory: Laboratory, other_reading: Callable[[Laboratory], None], probe: str, came: str
) -> None:
    """Where AWS is otherwise that probe says so, with what it means; no other does."""
    other_reading(laboratory)
    code, found = laboratory.conform()
    assert states(found, "fault") == {probe}
    assert found[probe]["finding"] == f"mismatch: {came}, and the local KMS says {PROBES[probe].expected}"
    assert found[probe]["next_step"] == PROBES[probe].means
    assert code == 1


def test_a_kms_that_lets_everything_through(laboratory: Laboratory) -> None:
    """The founding scenario and the keys of a context are mismatches where KMS refuses nothing."""

    def allow(call: AwsCall, run: Callable[[], Response]) -> Response:
        answer = run()
        refused = answer[0] != HTTP_OK and call.operation in {"Encrypt", "CreateGrant"}
        return ok({"GrantId": "0", "GrantToken": "0"}) if refused else answer

    laboratory.cloud.intercept = allow
    _, found = laboratory.conform()
    assert {"founding scenario", "EncryptionContextKeys"} <= states(found, "fault")
    assert found["founding scenario"]["finding"].startswith("mismatch: before allowed, agreed allowed, other")


def test_nothing_stays(laboratory: Laboratory) -> None:
    """Afterwards its key waits for its deletion, and no role, table or grant of it is left."""
    roles = set(laboratory.cloud.directory.principals)
    laboratory.conform()
    assert set(laboratory.cloud.directory.principals) == roles
    assert laboratory.cloud.grants(laboratory.foreign_key) == []
    states = {key.state for arn, key in laboratory.cloud.kms.keys.items() if arn != laboratory.foreign_key}
    assert states == {"PendingDeletion"}
    client = laboratory.cloud.session(laboratory.cloud.root()).client("dynamodb")
    assert client.list_tables()["TableNames"] == []


def test_what_stays_is_told(laboratory: Laboratory) -> None:
    """What could not be deleted is a finding."""
    _answer("kms", "ScheduleKeyDeletion", "DependencyTimeoutException")(laboratory)
    code, found = laboratory.conform()
    assert code == 1
    assert "is left: " in found["cleaning up"]["finding"]


def test_a_bench_that_cannot_be_made(laboratory: Laboratory) -> None:
    """Without the right to make a key nothing is tried, and the role that was made is deleted."""
    roles = set(laboratory.cloud.directory.principals)
    _answer("kms", "CreateKey", "LimitExceededException")(laboratory)
    assert main(["doctor", "--conformance", "--yes", "--patience", "0"]) == 3
    assert set(laboratory.cloud.directory.principals) == roles


def test_a_key_of_the_managed_kind(laboratory: Laboratory) -> None:
    """Where Lambda has its own key, who manages it is compared; and what fails else is not known."""
    lambdas = {"alias/aws/lambda", "arn:aws:kms:r:1:key/1"}
    managed = {"KeyMetadata": {"KeyId": "1", "Arn": "arn:aws:kms:r:1:key/1", "KeyManager": "AWS"}}

    def describe(call: AwsCall, run: Callable[[], Response]) -> Response:
        if call.operation == "ListKeyPolicies":
            return AwsError("ThrottlingException", "planted").response()
        return (
            ok(managed) if call.operation == "DescribeKey" and call.parameters["KeyId"] in lambdas else run()
        )

    laboratory.cloud.intercept = describe
    code, found = laboratory.conform()
    assert code == 4
    assert found["alias of Lambda's key"]["finding"] == "match: managed by AWS, allowed by its alias"
    assert states(found, "not known") == {"second key policy"}
    assert "ThrottlingException" in found["second key policy"]["finding"]


@pytest.mark.usefixtures("laboratory")
def test_without_another_account(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key of another account that one probe is left out, and says what it needs."""
    assert main(["doctor", "--conformance", "--yes", "--patience", "0"]) == 4
    [line] = [line for line in capsys.readouterr().out.splitlines() if " IssuingAccount " in line]
    assert line.startswith("not known  IssuingAccount")
    assert "Next: give --foreign-key" in line


def test_aws_that_takes_its_time(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy or role that AWS does not know yet is tried again until patience is over."""
    refused = []
    pauses: list[float] = []

    def late(call: AwsCall, run: Callable[[], Response]) -> Response:
        key = (call.operation, call.principal)
        if call.operation in {"CreateKey", "Encrypt"} and key not in refused:
            refused.append(key)
            return AwsError("MalformedPolicyDocumentException", "not yet").response()
        return run()

    laboratory.cloud.intercept = late
    monkeypatch.setattr("grant_broker.client.doctor.bench.time.sleep", pauses.append)
    _, found = laboratory.conform("--patience", "60")
    assert states(found, "fault") == set()
    assert pauses
    assert set(pauses) == {5.0}
