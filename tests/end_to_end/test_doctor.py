"""`grant-broker doctor` on a running stack: healthy, and broken in each way that it looks for."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.sns.models import sns_backends

from grant_broker.client.doctor.checks import CHECKS, TOPICS
from grant_broker.client.main import main
from tests.local_aws.account import TrailHere
from tests.local_aws.answers import AwsError, Response
from tests.local_aws.cloud import AwsCall
from tests.local_stack import watch
from tests.local_stack.deployment import STACK
from tests.local_stack.people import APPROVER_ROLE, HOME
from tests.local_stack.stack import Options, Stack

_ROOT = f"arn:aws:iam::{HOME}:root"
_METRICS = f"GrantBroker/{STACK}"


@dataclass
class Ward:
    """A healthy stack, its parts to break one at a time, and who examines it."""

    stack: Stack
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    @property
    def cloud(self) -> Any:
        return self.stack.deployment.cloud

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs, to be changed."""
        outputs: dict[str, str] = self.cloud.stacks[self.stack.deployment.template.stack_id]
        return outputs

    @property
    def described(self) -> Any:
        return self.cloud.cloudformation.described[self.stack.deployment.template.stack_id]

    def client(self, service: str) -> Any:
        return self.cloud.session(self.cloud.root()).client(service)

    def alarm(self, logical_id: str = "OverdueAlarm", **changes: Any) -> None:
        """Make an alarm of the template anew, with changes."""
        given = self.stack.deployment.template.properties(logical_id) | changes
        name = self.described.resources[logical_id][1]
        self.client("cloudwatch").put_metric_alarm(AlarmName=name, **given)

    def policies(self, *statements: dict[str, Any]) -> None:
        """What the approver may do beside being an approver."""
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        role = next(arn for arn in self.cloud.directory.principals if arn.endswith(APPROVER_ROLE))
        self.cloud.put_role_policies(role, [document] if statements else [])

    def examine(self, *words: str, person: str = "alice") -> tuple[int, list[dict[str, str]]]:
        """Exit code and findings."""
        code, out, err = self.run("--output", "json", *words, person=person)
        assert err == ""
        return code, json.loads(out)

    def run(self, *words: str, person: str = "alice") -> tuple[int, str, str]:
        who = self.stack.deployment.people[person].credentials
        self.monkeypatch.setenv("AWS_ENDPOINT_URL", self.stack.aws_url)
        self.monkeypatch.setenv("AWS_REGION", self.cloud.region)
        self.monkeypatch.setenv("AWS_ACCESS_KEY_ID", who.access_key_id)
        self.monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", who.secret_access_key)
        self.monkeypatch.setenv("AWS_SESSION_TOKEN", who.session_token)
        self.monkeypatch.delenv("GRANT_BROKER_URL", raising=False)
        self.capsys.readouterr()
        code = main(["doctor", "--stack", STACK, *words])
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    """One stack for all of them: each puts back what it broke."""
    stack = Stack.start(Options(schedule_seconds=1))
    try:
        yield stack
    finally:
        stack.close()
        moto_api_backend.reset()


@pytest.fixture
def ward(running: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ward:
    """The stack as somebody runs it well."""
    ward = Ward(running, monkeypatch, capsys)
    ward.outputs.update(running.deployment.template.outputs() | {"ApiUrl": running.api_url})
    statements = json.loads(ward.outputs["DoctorPolicy"])["Statement"]
    ward.policies(*statements)
    watch.create(running.deployment)
    sns_backends[HOME][ward.cloud.region].subscriptions.clear()
    for topic in TOPICS:
        address = {"Protocol": "email", "Endpoint": "team@example.com"}
        ward.client("sns").subscribe(TopicArn=ward.outputs[topic], **address)
    for function in ("expiry", "reconcile"):
        beat(ward, function)
    account = ward.cloud.account
    account.trails, account.dollars_a_day = [TrailHere()], 0.04
    account.kms_quotas = {"RetireGrant request rate": 50.0, "RevokeGrant request rate": 50.0}
    return ward


def beat(ward: Ward, function: str) -> None:
    """A heartbeat, which moto's CloudWatch does not take from a log."""
    dimensions = [{"Name": "service", "Value": function}]
    data = {"MetricName": "Heartbeat", "Dimensions": dimensions, "Value": 1.0, "Timestamp": datetime.now(UTC)}
    ward.client("cloudwatch").put_metric_data(Namespace=_METRICS, MetricData=[data])


def faults(findings: list[dict[str, str]]) -> set[str]:
    """The checks that found a fault."""
    return {each["check"] for each in findings if each["state"] == "fault"}


def test_healthy(ward: Ward) -> None:
    """With the rights of DoctorPolicy alone every check finds its part well, and the exit code is 0."""
    code, findings = ward.examine()
    assert [each for each in findings if each["state"] != "well"] == []
    assert {each["check"] for each in findings} == set(CHECKS)
    assert code == 0


def test_words(ward: Ward) -> None:
    """Without --output json each finding is one line, a fault with its next step."""
    ward.cloud.account.trails = []
    code, out, err = ward.run()
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert all(line.startswith(("well ", "fault ")) for line in lines)
    [line] = [line for line in lines if line.startswith("fault")]
    assert line.startswith("fault      trail ")
    assert ". Next: make a trail for all Regions" in line


Break = Callable[[Ward], None]


def _lose_output(ward: Ward) -> None:
    del ward.outputs["EventBusArn"], ward.outputs["RequestTableName"]


def _roll_back(ward: Ward) -> None:
    ward.described.status = "UPDATE_ROLLBACK_FAILED"


def _stop_api(ward: Ward) -> None:
    ward.outputs["ApiUrl"] = "http://127.0.0.1:9/live"


def _open_trust(ward: Ward) -> None:
    role = ward.cloud.directory.principals[ward.outputs["RequestsRoleArn"]]
    others = [{"Effect": "Allow", "Principal": {"AWS": _ROOT}, "Action": "sts:AssumeRole"}]
    role.trust = {"Version": "2012-10-17", "Statement": others}


def _name_missing_role(ward: Ward) -> None:
    statements = json.loads(ward.outputs["DoctorPolicy"])["Statement"]
    ward.policies(*statements, {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"})
    ward.outputs["EventsRoleArn"] += "-gone"


def _silence(ward: Ward, kept: str) -> None:
    """Of the heartbeats only this function's is left."""
    cloudwatch_backends[HOME][ward.cloud.region].metric_data.clear()
    beat(ward, kept)


def _disarm(ward: Ward) -> None:
    ward.alarm(ActionsEnabled=False)


def _mute(ward: Ward) -> None:
    ward.alarm(AlarmActions=[])


def _ring(ward: Ward) -> None:
    name = ward.described.resources["OverdueAlarm"][1]
    ward.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="1 overdue")


def _delete_alarm(ward: Ward) -> None:
    ward.client("cloudwatch").delete_alarms(AlarmNames=[ward.described.resources["OverdueAlarm"][1]])


def _subscribe_unconfirmed(ward: Ward) -> None:
    for each in sns_backends[HOME][ward.cloud.region].subscriptions.values():
        each.arn = "PendingConfirmation"


def _unsubscribe(ward: Ward) -> None:
    sns = ward.client("sns")
    for each in sns.list_subscriptions_by_topic(TopicArn=ward.outputs["AlarmTopicArn"])["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


def _stop_trail(ward: Ward) -> None:
    ward.cloud.account.trails[0].is_logging = False


def _keep_reads_alone(ward: Ward) -> None:
    reads = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
    ward.cloud.account.trails[0].selectors = {"EventSelectors": [reads]}


def _raise_rate(ward: Ward) -> None:
    ward.described.parameters = ward.described.parameters | {"EndRate": "51"}


def _spend(ward: Ward) -> None:
    ward.cloud.account.dollars_a_day = 3.5


_BROKEN: list[tuple[str, Break, str]] = [
    ("outputs", _lose_output, "no output RequestTableName"),
    ("outputs", _roll_back, "the stack is UPDATE_ROLLBACK_FAILED"),
    ("api", _stop_api, "does not answer"),
    ("roles", _open_trust, f"may be assumed by {{'AWS': '{_ROOT}'}}"),
    ("roles", _name_missing_role, "-gone does not exist"),
    ("heartbeat", lambda ward: _silence(ward, "reconcile"), "expiry has not run for 5 minutes"),
    ("heartbeat", lambda ward: _silence(ward, "expiry"), "reconcile has not run for 20 minutes"),
    ("alarms", _disarm, "tells nobody"),
    ("alarms", _mute, "does not tell arn:aws:sns"),
    ("alarms", _ring, "is on: 1 overdue"),
    ("alarms", _delete_alarm, "is gone"),
    ("subscriptions", _subscribe_unconfirmed, "1 not confirmed"),
    ("subscriptions", _unsubscribe, "nobody subscribes"),
    ("trail", _stop_trail, "no trail logs"),
    ("trail", _keep_reads_alone, "no trail logs"),
    ("rates", _raise_rate, "EndRate is 51 a second, and KMS takes 50"),
    ("cost", _spend, "yesterday cost 3.50 USD, and at most 1.00"),
]


@pytest.mark.parametrize(("check", "planted", "words"), _BROKEN)
def test_broken(ward: Ward, check: str, planted: Break, words: str) -> None:
    """Each fault is found by the check of its part and no other, with the next step and exit code 1."""
    planted(ward)
    code, findings = ward.examine()
    found = [each for each in findings if each["state"] == "fault"]
    assert {each["check"] for each in found} == {check}
    assert words in found[0]["finding"]
    assert all(each["next_step"] for each in found)
    assert code == 1


def test_every_check_has_a_broken_case() -> None:
    """No check is there that was never seen to fail."""
    # Keys need more than a fault planted: see below.
    assert {check for check, _, _ in _BROKEN} | {"keys"} == set(CHECKS)


class _Open(BaseHTTPRequestHandler):
    """An API that lost its authorizer."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"items": [], "cursor": null}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """Its address."""
    server = HTTPServer(("127.0.0.1", 0), _Open)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/live"
    finally:
        server.shutdown()
        server.server_close()


def test_an_open_api(ward: Ward) -> None:
    """An API that answers without a signature is a fault."""
    with serving() as url:
        code, findings = ward.examine("--endpoint-url", url)
    assert (code, faults(findings)) == (1, {"api"})


def test_a_key_that_the_broker_cannot_use(ward: Ward) -> None:
    """A key whose policy lost the broker's statements is found by what the functions' checks say."""
    key = ward.stack.deployment.keys["partner_data"]
    kms = ward.client("kms")
    before = kms.get_key_policy(KeyId=key)["Policy"]
    # The root user alone: what is delegated to the account would leave it to IAM.
    alone = {"StringEquals": {"aws:PrincipalArn": _ROOT}}
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": _ROOT},
        "Action": "kms:*",
        "Resource": "*",
        "Condition": alone,
    }
    ward.cloud.put_key_policy(key, {"Version": "2012-10-17", "Statement": [root]})
    try:
        found = _examined_until(ward, key, "fault")
        assert faults(found) == {"keys"}
        [ends] = [each["finding"] for each in found if each["state"] == "fault"]
        assert ends.startswith(f"cannot end grants on {key}: KMS refuses to show")
        assert f"grant-broker key-policy {key} --stack {STACK}" in json.dumps(found)
    finally:
        ward.cloud.put_key_policy(key, json.loads(before))
        _examined_until(ward, key, "well")


def _examined_until(ward: Ward, key: str, state: str) -> list[dict[str, str]]:
    """The findings once expiry's check of the key has come out so."""
    ward.stack.client("duty").call("POST", f"/security/keys/{key.rpartition('/')[2]}/check")
    deadline = time.monotonic() + 15
    while True:
        _, findings = ward.examine()
        on_keys = [each for each in findings if each["check"] == "keys"]
        if any(" end grants " in each["finding"] and each["state"] == state for each in on_keys):
            return findings
        assert time.monotonic() < deadline, on_keys
        time.sleep(0.2)


def test_each_right_of_its_policy_is_needed(ward: Ward) -> None:
    """Without one statement of DoctorPolicy its check says that it does not know, and no other does."""
    statements = json.loads(ward.outputs["DoctorPolicy"])["Statement"]
    lost = {}
    for statement in statements[1:]:
        ward.policies(*(each for each in statements if each != statement))
        code, findings = ward.examine()
        assert code == 4
        lost[statement["Sid"]] = {each["check"] for each in findings if each["state"] != "well"}
    assert lost == {
        "Api": {"api", "keys"},
        "Roles": {"roles"},
        "Subscriptions": {"subscriptions"},
        "Metrics": {"heartbeat"},
        "Alarms": {"alarms"},
        "Trails": {"trail"},
        "Quotas": {"rates"},
        "Costs": {"cost"},
    }


def test_a_service_without_an_answer(ward: Ward) -> None:
    """What a service does not answer is one finding with its reason, and the rest is looked at."""

    def refuse(call: AwsCall, run: Callable[[], Response]) -> Response:
        if call.service == "cloudtrail":
            return AwsError("UnknownOperationException", "not here").response()
        return before(call, run) or run()

    before = ward.cloud.intercept
    ward.cloud.intercept = refuse
    try:
        code, findings = ward.examine()
    finally:
        ward.cloud.intercept = before
    [found] = [each for each in findings if each["state"] != "well"]
    assert (code, found["check"], found["state"]) == (4, "trail", "not known")
    assert "UnknownOperationException" in found["finding"]


def test_no_such_stack(ward: Ward) -> None:
    """Without the stack nothing can be examined: exit code 3; without its name, 2."""
    ward.policies({"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"})
    ward.outputs.clear()
    code, out, err = ward.run("--stack", "other")
    assert (code, out) == (3, "")
    assert "other does not exist" in err
    assert main(["doctor"]) == 2
