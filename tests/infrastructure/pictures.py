"""The documents' two pictures, in Mermaid: who holds which right, and the life of a request.

`python -m tests.infrastructure.pictures architecture` (or `life`) prints one.
"""

import sys
from collections.abc import Iterator

from grant_broker.domain.lifecycle import LIFE, OPEN
from tests.infrastructure.stack import ROLES, template
from tests.infrastructure.test_roles import MAY
from tests.local_stack.triggers import queues, routes, schedules, streams

_WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"}
# IAM has no say in it: a grant names who may retire it.
_RETIRES = "expiry"
_GRANT_RIGHTS = ("CreateGrant", "RetireGrant", "RevokeGrant")
_STORES = {"requests": "request_table", "approvals": "approval_table"}
_NODES = """\
    third_parties(["third parties' accounts"])
    security_team(["security team"])
    clock(["schedules"])
    api["API Gateway: signed calls"]
    subgraph functions ["five functions, five roles"]
        requests
        approvals
        expiry
        reconcile
        events
    end
    kms[["KMS"]]
    request_table[("request table")]
    approval_table[("approval table")]
    event_bus["EventBridge"]
    alarms["CloudWatch alarms"]
    alarm_topic["SNS: alarms"]
    mail_queue["SQS: what is to be mailed"]
    mail_topic["SNS: mails"]
    third_parties -->|"/requests, /keys"| api
    security_team -->|"/security"| api
    functions -->|metrics| alarms
    alarms --> alarm_topic"""


def architecture() -> Iterator[str]:
    """What sets whom going, and who holds which right: thick where one function holds it, dotted to read."""
    yield "flowchart LR"
    yield from _NODES.splitlines()
    yield from _triggers()
    for role in ROLES:
        yield from _rights(role)


def _triggers() -> Iterator[str]:
    yield from (
        f"    api --> {role}" for role in ROLES if role in {route.function for route in routes(template())}
    )
    apart = {(found.function, int(found.seconds)) for found in schedules(template())}
    yield from (f"    clock -->|every {seconds // 60} min| {role}" for role, seconds in sorted(apart))
    yield from (
        f"    request_table -->|stream| {role}" for role in sorted({s.function for s in streams(template())})
    )
    yield from (f"    mail_queue -->|gathered| {queue.function}" for queue in queues(template()))


def _rights(role: str) -> Iterator[str]:
    may = {resource: set(actions.split()) for resource, actions in MAY[role].items()}
    on_keys = may.get("key", set()) | may.get("every key", set())
    changing = on_keys | ({"RetireGrant"} if role == _RETIRES else set())
    if held := [right for right in _GRANT_RIGHTS if right in changing]:
        yield f"    {role} ==>|{', '.join(held)}| kms"
    elif on_keys:
        yield f"    {role} -.-> kms"
    for table, node in _STORES.items():
        if may.get(table, set()) & _WRITES:
            writers = [other for other in ROLES if set(MAY[other].get(table, "").split()) & _WRITES]
            yield f"    {role} {'==>' if len(writers) == 1 else '-->'}|writes| {node}"
        elif table in may:
            yield f"    {role} -.-> {node}"
    if "bus" in may:
        yield f"    {role} --> event_bus"
    if "mail queue" in may:
        yield f"    {role} --> mail_queue"
    if "topic" in may:
        yield f"    {role} -->|digests| mail_topic"


def life() -> Iterator[str]:
    """Every status of a request, what may follow it, and what is on the agenda meanwhile."""
    yield "stateDiagram-v2"
    yield "    direction LR"
    yield f"    [*] --> {OPEN[0]}"
    for status in OPEN:
        yield from (f"    {status} --> {other}" for other in LIFE if other in LIFE[status].may_become)
    yield from (f"    {status} --> [*]" for status in LIFE if status.final)
    for status in OPEN:
        stage = LIFE[status]
        yield f"    note right of {status}: {stage.action}{f' at {stage.deadline}' if stage.deadline else ''}"


PICTURES = {"architecture": architecture, "life": life}

if __name__ == "__main__":
    print("\n".join(PICTURES[sys.argv[1]]()))
