"""Alarms: about metrics that somebody emits, told to somebody, with what to do about it."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.stack import template
from tests.local_stack.template import ROOT

NAMESPACE = "GrantBroker/grant-broker"
# Metrics of AWS's own services: namespace to names and the dimensions that they come with.
AWS_METRICS = {
    "AWS/Lambda": ({"Errors", "Throttles", "IteratorAge"}, {"FunctionName"}),
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}, {"QueueName"}),
    "AWS/ApiGateway": ({"5XXError"}, {"ApiName", "Stage"}),
    "AWS/Events": ({"TriggeredRules"}, {"RuleName"}),
}


def _alarms() -> dict[str, dict[str, Any]]:
    whole = template(Archive="yes")
    return {name: whole.properties(name) for name in whole.named("AWS::CloudWatch::Alarm")}


def _measured() -> set[str]:
    """The first argument of every call of `measure` in the package, a broker's or one that was passed."""
    package = ROOT / "layers" / "grant_broker" / "grant_broker"
    return {name for path in package.rglob("*.py") for name in _names(path)}


def _names(path: Path) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    return [
        str(call.args[0].value)
        for call in calls
        if "measure" in {getattr(call.func, "attr", None), getattr(call.func, "id", None)}
        and isinstance(call.args[0], ast.Constant)
    ]


def _widgets() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(template().properties("Dashboard")["DashboardBody"])["widgets"]
    return found


@pytest.mark.parametrize("name", sorted(_alarms()))
def test_alarm(name: str) -> None:
    """On an emitted metric with the dimensions it has, to the alarms' topic, with a runbook in its words."""
    alarm = _alarms()[name]
    assert "Runbook:" in alarm["AlarmDescription"]
    assert len(alarm["AlarmDescription"]) <= 1024
    assert alarm["AlarmActions"] == [template().reference("AlarmTopic", None)]
    assert alarm.get("OKActions", alarm["AlarmActions"]) == alarm["AlarmActions"]
    dimensions = {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]}
    if alarm["Namespace"] == NAMESPACE:
        assert alarm["MetricName"] in _measured()
        # Powertools adds the service to each metric, and nothing else.
        assert set(dimensions) == {"service"}
        services = {f.environment["POWERTOOLS_SERVICE_NAME"] for f in template().functions().values()}
        assert dimensions["service"] in services
    else:
        names, wanted = AWS_METRICS[alarm["Namespace"]]
        assert alarm["MetricName"] in names
        assert set(dimensions) == wanted


def test_only_a_missing_heartbeat_is_told_by_itself() -> None:
    """Silence is told where a heartbeat is expected; elsewhere it means that nothing happened."""
    missing = {name: alarm for name, alarm in _alarms().items() if alarm["TreatMissingData"] == "missing"}
    assert set(missing) == {"ExpiryHeartbeatAlarm", "ReconcileHeartbeatAlarm"}
    for alarm in missing.values():
        assert alarm["InsufficientDataActions"] == alarm["OKActions"] == alarm["AlarmActions"]
    others = {alarm["TreatMissingData"] for name, alarm in _alarms().items() if name not in missing}
    assert others == {"notBreaching"}
    assert not any(
        "InsufficientDataActions" in alarm for name, alarm in _alarms().items() if name not in missing
    )


def test_no_alarm_fires_where_nothing_has_happened_yet() -> None:
    """An alarm begins without data and tells changes alone: none counts missing data as a breach."""
    assert not any(alarm["TreatMissingData"] == "breaching" for alarm in _alarms().values())


def test_every_function_s_errors_alarm() -> None:
    """One alarm a function: a sum over several would have no value while one of them is not called."""
    watched = {
        alarm["Dimensions"][0]["Value"]
        for alarm in _alarms().values()
        if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    }
    assert watched == {
        template().reference(made.logical_id, None) for made in template().functions().values()
    }


def test_what_the_design_promises_to_tell_has_an_alarm() -> None:
    """Overdue grants, failures, drift, late duplicates, lost events and both heartbeats."""
    told = {alarm["MetricName"] for alarm in _alarms().values()}
    assert {
        "OverdueGrants", "Heartbeat", "EndFailures", "DriftFound", "LateDuplicates", "IssueFailures",
        "ApproximateNumberOfMessagesVisible", "Errors", "Throttles", "5XXError",
        "GrantsOutOfSight", "KeysNotListed", "DebtSeconds", "EndsNotBacked", "GrantsOnFullestKey",
        "ListGrantsInASecond",
        "BlocksMade", "RevocationAgeSeconds", "BreakGlass", "BreakGlassUnreviewed", "ReviewsDue",
        "ArchiveFailures",
    } <= told  # fmt: skip


def test_the_dashboard_shows_emitted_metrics() -> None:
    """Every widget's metrics are measured by somebody, in the stack's own namespace."""
    rows = [row for widget in _widgets() for row in widget["properties"]["metrics"]]
    # A row that begins with "..." repeats the metric above it with another statistic.
    assert {row[0] for row in rows} == {NAMESPACE, ".", "..."}
    found = [row[1] for row in rows if row[0] != "..."]
    assert set(found) <= _measured()
    assert {
        "LiveGrants",
        "OverdueGrants",
        "OldestOverdueSeconds",
        "GrantsEnded",
        "EndLatenessSeconds",
    } <= set(found)
    assert {widget["properties"]["region"] for widget in _widgets()} == {"eu-central-1"}


def test_every_metric_is_looked_at() -> None:
    """A metric that stands on the dashboard or has an alarm; one that nobody sees is not worth its price."""
    rows = [row for widget in _widgets() for row in widget["properties"]["metrics"]]
    alarmed = {alarm["MetricName"] for alarm in _alarms().values()}
    assert _measured() <= alarmed | {row[1] for row in rows if row[0] != "..."}


def test_metrics_of_two_stacks_are_kept_apart() -> None:
    """The namespace holds the stack's name: another stack's heartbeat must not hide a missing one."""
    for function in template().functions().values():
        assert function.environment["POWERTOOLS_METRICS_NAMESPACE"] == NAMESPACE


def test_cloudwatch_alone_writes_to_the_alarms_topic() -> None:
    """What anybody can cause at any rate goes elsewhere: too many messages would suspend the alarms too."""
    [statement] = template().properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == (
        {"Service": "cloudwatch.amazonaws.com"},
        "sns:Publish",
    )
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": template().account}}
    alarms = template().reference("AlarmTopic", None)
    for name in template().named("AWS::Events::Rule"):
        assert alarms not in [target["Arn"] for target in template().properties(name)["Targets"]]
    for function in template().functions().values():
        assert alarms not in function.environment.values()


def test_alarms_and_mails_reach_the_given_address_by_two_subscriptions() -> None:
    """One subscription a topic, so that one that is suspended leaves the other."""
    given = template(SecurityMail="team@example.com")
    found = {given.properties(name)["TopicArn"] for name in given.named("AWS::SNS::Subscription")}
    assert found == {given.reference(name, None) for name in ("AlarmTopic", "MailTopic")}
    assert list(template().named("AWS::SNS::Subscription")) == []
