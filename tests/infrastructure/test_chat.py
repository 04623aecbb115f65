"""Chat by AWS's own parts: which events, in which words, and what EventBridge may do. Not run on AWS."""

import json
import re
from typing import Any

import pytest

from grant_broker.aws.event_bus import entry_of
from tests.infrastructure.stack import template
from tests.local_stack.patterns import matches
from tests.support.announcements import event

HOOK = "https://hooks.slack.com/services/T000/B000/secret"
BOTH = {"ChatWebhookUrl": HOOK, "ChatTopic": "yes"}
# https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html, "Event schema" and "Parameter
# details": version must be 1.0, source custom, and content.description is needed.
SCHEMA: dict[str, Any] = {
    "version": str,
    "source": str,
    "id": str,
    "content": {"textType": str, "title": str, "description": str, "nextSteps": list, "keywords": list},
    "metadata": {"threadId": str, "eventType": str},
}


def delivered(kind: str, **detail: Any) -> dict[str, Any]:
    """An audit event as EventBridge has it."""
    fields = entry_of(event(kind=kind, **detail)).fields
    return {
        "source": fields["Source"],
        "detail-type": fields["DetailType"],
        "account": "111122223333",
        "detail": json.loads(fields["Detail"]),
    }


def target(name: str) -> dict[str, Any]:
    """One of the rule's targets."""
    [found] = [each for each in template(**BOTH).properties("ChatNotices")["Targets"] if each["Id"] == name]
    return dict(found)


def transformed(name: str, told: dict[str, Any]) -> Any:
    """What a target is given, filled in as EventBridge does: nothing for a path that is not there.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    given = target(name)["InputTransformer"]

    def filled(variable: re.Match[str]) -> str:
        part: Any = told
        for step in given["InputPathsMap"][variable[1]].removeprefix("$.").split("."):
            part = part.get(step) if isinstance(part, dict) else None
        return json.dumps(part or "")[1:-1]

    return json.loads(re.sub(r"<(\w+)>", filled, given["InputTemplate"]))


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    """Without a parameter no rule, topic, connection or role; each parameter brings its own."""
    kinds = ("ChatNotices", "ChatNotificationTopic", "ChatDestination", "ChatConnection", "ChatRole")

    def made(**parameters: str) -> list[bool]:
        found = template(**parameters)
        return [name in found.named(found.document["Resources"][name]["Type"]) for name in kinds]

    assert made() == [False] * 5
    assert made(ChatTopic="yes") == [True, True, False, False, False]
    assert made(ChatWebhookUrl=HOOK) == [True, False, True, True, True]


@pytest.mark.parametrize(
    ("kind", "detail", "is_told"),
    [
        ("submitted", {"waits": "no standing approval"}, True),
        ("submitted", {"approval": "a1"}, False),
        ("answer_due", {}, True),
        ("end_failed", {}, True),
        ("revoked", {}, True),
        ("drift", {"drift": True}, True),
        ("active", {}, False),
        ("expired", {}, False),
        ("voted", {}, False),
    ],
)
def test_what_the_chat_sees(kind: str, detail: dict[str, Any], is_told: bool) -> None:  # noqa: FBT001 - a case
    """What people must see or answer; not the normal course, nor what a standing approval covers."""
    pattern = template(**BOTH).properties("ChatNotices")["EventPattern"]
    assert matches(pattern, delivered(kind, **detail)) is is_told
    assert not matches(pattern, {**delivered(kind, **detail), "account": "777788889999"})


def test_amazon_q_s_own_schema() -> None:
    """A custom notification by AWS's words, with the command to copy, threaded by the request."""
    told = delivered("submitted", waits="x", account="444455556666", answer_by="2026-03-04T12:00:00Z")
    found = transformed("topic", told)
    assert (found["version"], found["source"]) == ("1.0", "custom")
    assert found["content"]["textType"] == "client-markdown"
    assert found["content"]["nextSteps"] == ["grant-broker show 1", "grant-broker queue"]
    assert "account 444455556666" in found["content"]["description"]
    assert "2026-03-04T12:00:00Z" in found["content"]["description"]
    _holds(SCHEMA, found)


def _holds(schema: dict[str, Any], found: dict[str, Any]) -> None:
    assert set(found) == set(schema)
    for name, wanted in schema.items():
        if isinstance(wanted, dict):
            _holds(wanted, found[name])
        else:
            assert isinstance(found[name], wanted), name


def test_a_webhook_s_text() -> None:
    """https://api.slack.com/messaging/webhooks: a JSON object with `text`."""
    found = transformed("webhook", delivered("end_failed", account="444455556666"))
    assert list(found) == ["text"]
    assert found["text"].startswith("Grant broker: end_failed of request#1, account 444455556666")


@pytest.mark.parametrize("name", ["topic", "webhook"])
def test_nothing_that_others_wrote(name: str) -> None:
    """A chat renders links and mentions: no reason, ticket, comment or context is in a message."""
    words = dict.fromkeys(("reason", "ticket", "comment", "waits"), "<!channel> https://evil.example")
    text = json.dumps(transformed(name, delivered("submitted", encryption_context={"a": "evil"}, **words)))
    assert "evil" not in text
    assert "channel" not in text


def test_what_eventbridge_may_do() -> None:
    """Its role posts to this destination, the topic takes messages of this rule, and of nobody else."""
    made = template(**BOTH)
    [policy] = made.properties("ChatRole")["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "Post",
            "Effect": "Allow",
            "Action": "events:InvokeApiDestination",
            "Resource": made.reference("ChatDestination", "Arn"),
        }
    ]
    trust = made.properties("ChatRole")["AssumeRolePolicyDocument"]["Statement"]
    assert [each["Principal"] for each in trust] == [{"Service": "events.amazonaws.com"}]
    [statement] = made.properties("ChatNotificationTopicPolicy")["PolicyDocument"]["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": made.reference("ChatNotices", "Arn")}}


def test_a_webhook_is_a_secret() -> None:
    """Whoever knows its URL may post: a reference to where it is kept is taken in its place."""
    pattern = re.compile(template().document["Parameters"]["ChatWebhookUrl"]["AllowedPattern"])
    for given in ("", "https://hooks.example/T0", "{{resolve:secretsmanager:grant-broker-chat}}"):
        assert pattern.fullmatch(given)
    for given in ("http://hooks.example/T0", "{{resolve:other:x}}", "https://a b"):
        assert not pattern.fullmatch(given)
