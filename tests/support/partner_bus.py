"""A partner's own event bus, as the partner makes it: a rule that takes all, a queue to read it from."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PartnerBus:
    """The bus and the queue behind it, by clients with the partner's credentials."""

    events: Any
    sqs: Any
    arn: str
    queue_url: str

    @classmethod
    def create(cls, events: Any, sqs: Any, name: str) -> "PartnerBus":
        """Make both. Nobody else may put events there yet."""
        arn = str(events.create_event_bus(Name=name)["EventBusArn"])
        url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        pattern = json.dumps({"source": ["grant-broker"]})
        events.put_rule(Name="all", EventBusName=name, EventPattern=pattern)
        events.put_targets(Rule="all", EventBusName=name, Targets=[{"Id": "queue", "Arn": found["QueueArn"]}])
        return cls(events, sqs, arn, url)

    @property
    def name(self) -> str:
        """The bus's name."""
        return self.arn.rpartition("/")[2]

    def let_in(self, account: str) -> None:
        """Allow another account to put events, by the bus's policy."""
        statement = {
            "Sid": "grants", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "events:PutEvents", "Resource": self.arn,
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.events.put_permission(EventBusName=self.name, Policy=policy)

    def shut(self) -> None:
        """Take that away again."""
        self.events.remove_permission(EventBusName=self.name, RemoveAllPermissions=True)

    def delete(self) -> None:
        """Take bus and queue away."""
        self.events.remove_targets(Rule="all", EventBusName=self.name, Ids=["queue"])
        self.events.delete_rule(Name="all", EventBusName=self.name)
        self.events.delete_event_bus(Name=self.name)
        self.sqs.delete_queue(QueueUrl=self.queue_url)

    def take(self) -> list[dict[str, Any]]:
        """Take what came, whole EventBridge events, in the order of their own time."""
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found, key=lambda event: str(event["detail"]["at"]))
