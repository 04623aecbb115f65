"""The functions as declared: what sets them going, what they are told, what they must not cost."""

import json
from typing import Any

import pytest

from grant_broker.approvals.settings import ApprovalsSettings
from grant_broker.domain import key_policy
from grant_broker.domain.key_policy import Roles
from grant_broker.domain.scope import ENCRYPT_SIDE
from grant_broker.events.settings import EventsSettings
from grant_broker.expiry.settings import ExpirySettings
from grant_broker.reconcile.settings import ReconcileSettings
from grant_broker.requests.settings import RequestsSettings
from grant_broker.settings import Settings
from tests.infrastructure.stack import ROLES, role_arn, template
from tests.infrastructure.transformed import Plan
from tests.local_stack.patterns import matches
from tests.local_stack.template import ROOT
from tests.local_stack.triggers import schedules, seconds_of, streams

_POWERTOOLS = {"POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL", "POWERTOOLS_SERVICE_NAME"}
_OF_LAMBDA = {"AWS_REGION"}
_SETTINGS: dict[str, type[Settings]] = {
    "requests": RequestsSettings,
    "approvals": ApprovalsSettings,
    "expiry": ExpirySettings,
    "reconcile": ReconcileSettings,
    "events": EventsSettings,
}


def _record(name: str, new: dict[str, str] | None, old: dict[str, str] | None = None) -> dict[str, Any]:
    images = {"NewImage": new, "OldImage": old}
    typed = {
        image: {key: {"S": value} for key, value in values.items()}
        for image, values in images.items()
        if values is not None
    }
    return {"eventName": name, "dynamodb": typed}


def _request(status: str) -> dict[str, str]:
    return {"sk": "request", "kind": "request", "status": status}


_EVENT = {"sk": "event#000001", "kind": "event", "type": "approved"}

# What happens in the request table, whether expiry must wake, whether events must.
CHANGES: dict[str, tuple[dict[str, Any], bool, bool]] = {
    "active becomes ending": (_record("MODIFY", _request("ending"), _request("active")), True, False),
    "issuing becomes ending": (_record("MODIFY", _request("ending"), _request("issuing")), True, False),
    "an adopted grant begins as ending": (_record("INSERT", _request("ending")), True, False),
    "an end is put off": (_record("MODIFY", _request("ending"), _request("ending")), False, False),
    "ending becomes expired": (_record("MODIFY", _request("expired"), _request("ending")), False, False),
    "a request is made": (_record("INSERT", _request("pending")), False, False),
    "pending becomes approved": (_record("MODIFY", _request("approved"), _request("pending")), False, False),
    "a record is deleted": (_record("REMOVE", None, _request("active")), False, False),
    "an event is written": (_record("INSERT", _EVENT), False, True),
    "an event is altered": (_record("MODIFY", _EVENT, _EVENT), False, False),
    "an event is deleted": (_record("REMOVE", None, _EVENT), False, False),
    "a counter runs": (_record("INSERT", {"sk": "limit", "status": "ending"}), False, False),
}


@pytest.mark.parametrize(("record", "ends", "tells"), CHANGES.values(), ids=CHANGES)
def test_stream_filters(record: dict[str, Any], *, ends: bool, tells: bool) -> None:
    """Expiry wakes for what becomes ending, events for each new event, and nothing wakes anybody else."""
    woken = {
        stream.function
        for stream in streams(template())
        if any(matches(pattern, record) for pattern in stream.patterns)
    }
    assert woken == {name for name, wakes in (("expiry", ends), ("events", tells)) if wakes}


def test_streams_lose_nothing_and_stop_at_nothing() -> None:
    """Batches split on failure, retries are bounded, and what could not be published is kept."""
    found = {stream.function: stream for stream in streams(template())}
    assert all(stream.bisect and stream.reports_failures for stream in found.values())
    assert found["events"].on_failure == template().reference("FailedEvents", "Arn")
    assert found["events"].attempts > 5
    positions = {function: event["StartingPosition"] for function, _, event in template().events("DynamoDB")}
    # The agenda holds what expiry missed; an event that was missed is missed.
    assert positions == {"expiry": "LATEST", "events": "TRIM_HORIZON"}


def test_schedules() -> None:
    """Expiry every minute, reconcile every five; each run may last longer than its interval."""
    found = {(s.function, s.seconds, *s.payload.values()) for s in schedules(template())}
    assert found == {
        ("expiry", 60), ("reconcile", 300), ("approvals", 60, "revocations"),
        ("requests", 60, "requests"), ("expiry", 60, "expiry"),
    }  # fmt: skip
    assert template().functions()["expiry"].timeout > 130


def test_no_run_starts_when_the_next_one_is_due() -> None:
    """After an hour without concurrency no herd of old runs comes: neither of Lambda nor of EventBridge."""
    plan = Plan.of()
    seconds: dict[str, int] = {}
    for name in plan.named("AWS::Events::Rule"):
        rule = plan.template.properties(name)
        if "ScheduleExpression" in rule:
            [target], [function] = rule["Targets"], plan.needs[name]
            age = target["RetryPolicy"]["MaximumEventAgeInSeconds"]
            assert 60 <= age <= seconds_of(rule["ScheduleExpression"])
            seconds[function] = min(age, seconds.get(function, age))
    assert set(seconds) == {
        "RequestsFunction", "ApprovalsFunction", "ExpiryFunction", "ReconcileFunction",
    }  # fmt: skip
    for name in plan.named("AWS::Lambda::EventInvokeConfig"):
        config = plan.template.properties(name)
        [function] = plan.needs[name]
        # The next scheduled run repeats a failed one.
        assert config["MaximumRetryAttempts"] == 0
        assert config["MaximumEventAgeInSeconds"] <= seconds.get(function, 60)
        assert config["FunctionName"] == plan.template.reference(function, None)
    assert len(plan.named("AWS::Lambda::EventInvokeConfig")) == len(ROLES)


@pytest.mark.parametrize("name", ROLES)
def test_environment(name: str) -> None:
    """The template tells each function exactly what it reads, and the settings are well formed."""
    environment = template().functions()[name].environment
    read = {field.upper() for field in _SETTINGS[name].model_fields}
    assert set(environment) - _POWERTOOLS == read - _OF_LAMBDA
    settings = _SETTINGS[name].from_environment({**environment, "AWS_REGION": "eu-central-1"})
    assert settings.home_account == template().account
    assert settings.request_table == template().reference("RequestTable", None)
    assert environment["POWERTOOLS_SERVICE_NAME"] == name
    assert environment["APPROVAL_TABLE"] == template().reference("ApprovalTable", None)


def test_defaults() -> None:
    """What nobody sets: the encrypt side, five minutes at least, three days to answer, one to take up."""
    given = {"TrustedAccounts": ["444455556666"], "ApproverRoleIds": ["AROA123456789012"]}
    fresh = type(template()).read(given, account="111122223333", region="eu-central-1", stack="grant-broker")
    told = {name: function.environment for name, function in fresh.functions().items()}
    for name in ("requests", "approvals"):
        assert told[name]["GRANTABLE_OPERATIONS"].split(",") == list(ENCRYPT_SIDE)
        assert (told[name]["SMALLEST_DURATION"], told[name]["TAKE_UP_WITHIN"]) == ("300", "86400")
    assert told["requests"]["ANSWER_WITHIN"] == "259200"
    assert (told["expiry"]["SMALLEST_DURATION"], told["expiry"]["END_RATE"]) == ("300", "40")


@pytest.mark.parametrize("name", ROLES)
def test_function(name: str) -> None:
    """Python on arm64 with the layer; traced by Lambda; its code is one folder with one handler."""
    function = template().functions()[name]
    shared = template().document["Globals"]["Function"]
    assert (shared["Runtime"], shared["Architectures"], shared["Tracing"]) == (
        "python3.13",
        ["arm64"],
        "Active",
    )
    assert (ROOT / "functions" / name / "handler.py") == function.code / "handler.py"
    assert function.role == template().reference(f"{name.title()}Role", "Arn")


def test_concurrency_is_reserved_only_where_asked_for() -> None:
    """0 reserves none: a new account's limit leaves nothing to reserve."""
    functions = {"RequestsFunction": 3, "ApprovalsFunction": 2, "ExpiryFunction": 5}
    for name in functions:
        assert "ReservedConcurrentExecutions" not in template().properties(name)
    given = {f"{name.removesuffix('Function')}Concurrency": str(number) for name, number in functions.items()}
    reserved = template(**given)
    for name, number in functions.items():
        assert int(reserved.properties(name)["ReservedConcurrentExecutions"]) == number


def test_parameters_and_outputs_are_described() -> None:
    """An operator reads what each is for where it is asked."""
    document = template().document
    assert all(entry["Description"] for entry in document["Parameters"].values())
    assert all(entry["Description"] for entry in document["Outputs"].values())
    secrets = [
        name for name in document["Parameters"] if "secret" in name.lower() or "password" in name.lower()
    ]
    assert secrets == []


def test_the_key_policy_for_further_keys_is_that_of_the_founding_key() -> None:
    """The output's statements, pasted into another key's policy, are what the broker needs there."""
    statements = json.loads(template().outputs()["KeyPolicyStatements"])
    founding = template().properties("PartnerDataKey")["KeyPolicy"]["Statement"]
    own = {"Issue", "ReadKey", "ReadPolicy", "End", "Compare"}
    assert statements == [statement for statement in founding if statement["Sid"] in own]
    stack = template()
    roles = Roles(*map(role_arn, ("requests", "approvals", "expiry", "reconcile")))
    operations = stack.parameters["GrantableOperations"].split(",")
    key_arn = stack.reference("PartnerDataKey", "Arn")
    assert statements == key_policy.statements(roles, operations, key_arn)
