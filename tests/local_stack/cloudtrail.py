"""CloudTrail's events of KMS, on their way through EventBridge: by best effort, so late, or not at all."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.local_aws.identities import Credentials
from tests.local_aws.kms.usage import Use
from tests.local_stack.deployment import Deployment
from tests.local_stack.patterns import matches

_EVERY_EVENT = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
# Of KMS's parameters an event shows these, and neither plaintexts nor ciphertexts.
_SHOWN = (
    *("KeyId", "EncryptionContext", "EncryptionAlgorithm", "KeySpec", "NumberOfBytes", "KeyPairSpec"),
    *("SourceKeyId", "SourceEncryptionContext", "DestinationKeyId", "DestinationEncryptionContext"),
)


def event_of(use: Use, owner: str, principal_id: str) -> dict[str, Any]:
    """The event that a key's owner gets, as EventBridge wraps it.

    https://docs.aws.amazon.com/kms/latest/developerguide/ct-encrypt.html,
    https://docs.aws.amazon.com/kms/latest/developerguide/ct-reencrypt.html. Where the caller is of another
    account both get one, which share `sharedEventID`
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
    Reading, unconfirmed: the owner is told another account's principal as an AWSAccount, without its ARN.
    """
    stranger = use.caller.account != owner
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {
            **(_stranger(use.caller) if stranger else _own(use.caller)),
            "principalId": principal_id,
        },
        "eventTime": f"{use.at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "kms.amazonaws.com",
        "eventName": use.operation,
        "awsRegion": use.keys[0].arn.split(":")[3],
        "requestParameters": {
            name[0].lower() + name[1:]: use.parameters[name] for name in _SHOWN if name in use.parameters
        },
        "responseElements": None,
        "requestID": use.request_id,
        "eventID": use.event_id,
        "readOnly": True,
        "resources": [
            {"accountId": key.account, "type": "AWS::KMS::Key", "ARN": key.arn} for key in use.keys
        ],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": owner,
        **({"sharedEventID": str(uuid.uuid4())} if stranger else {}),
    }
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.kms",
        "account": owner,
        "time": detail["eventTime"],
        "region": detail["awsRegion"],
        "resources": [],
        "detail": detail,
    }


def _own(caller: Credentials) -> dict[str, str]:
    kind = "AssumedRole" if ":assumed-role/" in caller.arn else "IAMUser"
    kind = "Root" if caller.arn.endswith(":root") else kind
    return {"type": kind, "arn": caller.arn, "accountId": caller.account}


def _stranger(caller: Credentials) -> dict[str, str]:
    return {"type": "AWSAccount", "accountId": caller.account}


@dataclass
class CloudTrail:
    """Tells the template's rules of each use of a key.

    `loses` says which uses are never told, `seconds` how late the others are.
    """

    deployment: Deployment
    loses: Callable[[Use], bool] = lambda _use: False
    seconds: float = 0.0

    def start(self) -> None:
        """Tell of every use from now on."""
        self.deployment.cloud.kms.usage.listeners.append(self.tell)

    def tell(self, use: Use) -> None:
        """Tell the rules of a use, unless it is lost, as late as that takes."""
        if self.loses(use):
            return
        if self.seconds:
            threading.Timer(self.seconds, self._deliver, [use]).start()
        else:
            self._deliver(use)

    def _deliver(self, use: Use) -> None:
        home = self.deployment.cloud.home
        if all(key.account != home for key in use.keys) and use.caller.account != home:
            return
        principal_id = self.deployment.cloud.directory.resolve(use.caller.arn) or use.caller.account
        event = event_of(use, home, principal_id)
        for target in self._targets(event):
            name = target.rpartition(":")[2]
            client = self.deployment.cloud.session(self.deployment.cloud.root()).client("sqs")
            url = client.get_queue_url(QueueName=name)["QueueUrl"]
            client.send_message(QueueUrl=url, MessageBody=json.dumps(event))

    def _targets(self, event: dict[str, Any]) -> Iterator[str]:
        template = self.deployment.template
        for name in template.named("AWS::Events::Rule"):
            rule = template.properties(name)
            if rule.get("State") == _EVERY_EVENT and matches(rule["EventPattern"], event):
                yield from (target["Arn"] for target in rule["Targets"])
