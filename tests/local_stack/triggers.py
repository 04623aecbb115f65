"""What sets the functions going, as the template says: routes, streams, queues, schedules."""

import re
from collections.abc import Iterator
from typing import Any

from tests.local_stack.template import API_ID, Queue, Route, Schedule, Stream, Template, as_document

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNIT = {"minute": 60, "hour": 3600, "day": 86_400}
_DEFAULT_AT_ONCE = 5  # of the local stack: without a limit Lambda goes up to 1,250
_DEFAULT_ATTEMPTS = 10  # of the local stack: DynamoDB's own default is for ever


def routes(template: Template) -> tuple[Route, ...]:
    """Every method and path of the API."""
    return tuple(
        Route(event["Method"].upper(), event["Path"], function)
        for function, _, event in template.events("Api")
    )


def streams(template: Template) -> tuple[Stream, ...]:
    """Every event source mapping on a DynamoDB stream."""
    return tuple(_stream(function, event) for function, event in _mappings(template))


def _mappings(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    for function, _, event in template.events("DynamoDB"):
        yield function, {**event, "EventSourceArn": event["Stream"]}
    for function, mapping in _apart(template):
        if ":dynamodb:" in mapping["EventSourceArn"]:
            yield function, mapping


def _apart(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mappings that are resources of their own."""
    for name in template.named("AWS::Lambda::EventSourceMapping"):
        mapping = template.properties(name)
        yield _function_named(template, mapping["FunctionName"]), mapping


def _stream(function: str, event: dict[str, Any]) -> Stream:
    filters = event.get("FilterCriteria", {}).get("Filters", [])
    retries = event.get("MaximumRetryAttempts", -1)
    return Stream(
        function=function,
        table=event["EventSourceArn"].split("/")[1],
        patterns=tuple(as_document(entry["Pattern"]) for entry in filters),
        batch_size=int(event.get("BatchSize", 100)),
        attempts=1 + (retries if retries >= 0 else _DEFAULT_ATTEMPTS),
        bisect=bool(event.get("BisectBatchOnFunctionError", False)),
        reports_failures="ReportBatchItemFailures" in event.get("FunctionResponseTypes", []),
        on_failure=event.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
    )


def queues(template: Template) -> tuple[Queue, ...]:
    """Every event source mapping on a queue."""
    found = [(function, event) for function, _, event in template.events("SQS")]
    for function, mapping in _apart(template):
        if ":sqs:" in mapping["EventSourceArn"]:
            found.append((function, {**mapping, "Queue": mapping["EventSourceArn"]}))
    return tuple(_queue(template, function, event) for function, event in found)


def _queue(template: Template, function: str, event: dict[str, Any]) -> Queue:
    names = {template.reference(name, "Arn"): name for name in template.named("AWS::SQS::Queue")}
    return Queue(
        function=function,
        arn=event["Queue"],
        url=template.reference(names[event["Queue"]], None),
        batch_size=int(event.get("BatchSize", 10)),
        window=float(event.get("MaximumBatchingWindowInSeconds", 0)),
        at_once=int(event.get("ScalingConfig", {}).get("MaximumConcurrency", _DEFAULT_AT_ONCE)),
    )


def schedules(template: Template) -> tuple[Schedule, ...]:
    """Every enabled schedule with a rate."""
    return tuple(_schedules(template))


def _schedules(template: Template) -> Iterator[Schedule]:
    for function, name, event in template.events("Schedule", "ScheduleV2"):
        expression = event.get("Schedule") or event["ScheduleExpression"]
        yield Schedule(name, function, seconds_of(expression), as_document(event.get("Input", {})))
    for name in template.named("AWS::Scheduler::Schedule", "AWS::Events::Rule"):
        rule = template.properties(name)
        if "ScheduleExpression" not in rule:
            continue
        for target in rule.get("Targets", [rule.get("Target", {})]):
            function = _function_named(template, target["Arn"])
            payload = as_document(target.get("Input", {}))
            yield Schedule(name, function, seconds_of(rule["ScheduleExpression"]), payload)


def seconds_of(expression: str) -> int:
    """The seconds of a schedule's `rate(…)`. ValueError for any other schedule."""
    match = _RATE.fullmatch(expression)
    if match is None:
        raise ValueError(f"only rate(…) runs here, not {expression}")
    return int(match[1]) * _UNIT[match[2]]


def _function_named(template: Template, reference: str) -> str:
    name = reference.rpartition(":function:")[2]
    found = {template.reference(f.logical_id, None): f.name for f in template.functions().values()}
    return found[name]


def gateway_responses(template: Template) -> dict[str, dict[str, Any]]:
    """Response type to status, headers and body template of the gateway's own refusals."""
    found: dict[str, dict[str, Any]] = dict(template.properties("Api").get("GatewayResponses", {}))
    for name in template.named("AWS::ApiGateway::GatewayResponse"):
        response = template.properties(name)
        found[response["ResponseType"]] = response
    return found


def api_policy(template: Template) -> dict[str, Any]:
    """The API's resource policy, its short resources written out as ARNs."""
    auth = template.properties("Api").get("Auth", {})
    statements = auth.get("ResourcePolicy", {}).get("CustomStatements", [])
    prefix = f"arn:aws:execute-api:{template.region}:{template.account}:{API_ID}/"
    return {"Version": "2012-10-17", "Statement": [_written_out(entry, prefix) for entry in statements]}


def _written_out(statement: dict[str, Any], prefix: str) -> dict[str, Any]:
    named = {name: statement[name] for name in ("Resource", "NotResource") if name in statement}
    short = {name: [value] if isinstance(value, str) else value for name, value in named.items()}
    return statement | {
        name: [
            value.replace("execute-api:/", prefix, 1) if value.startswith("execute-api:/") else value
            for value in values
        ]
        for name, values in short.items()
    }
