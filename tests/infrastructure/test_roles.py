"""What each function's role may do, of everything that AWS offers: this table, and nothing else."""

from typing import Any

import pytest

from grant_broker.policy_engine import decide
from tests.infrastructure.stack import ROLES, actions, call, decided, deployed, policies, template
from tests.local_stack import tickets
from tests.local_stack.people import HOME

# A grant inside every fence, so that CreateGrant is judged by who calls; the fences have a test of their own.
_GRANT = {
    "kms:GranteePrincipal": "arn:aws:iam::444455556666:role/partner-application",
    "kms:GrantOperations": ["Encrypt"],
    "kms:GrantConstraintType": "EncryptionContextEquals",
    "kms:EncryptionContextKeys": ["tenant"],
}
_RECORD = {
    "dynamodb:LeadingKeys": ["request#0123456789abcdef0123456789abcdef"],
    "aws:RequestedRegion": "eu-central-1",
}

MAY: dict[str, dict[str, str]] = {
    "requests": {
        "key": "CreateGrant GetKeyPolicy",
        "requests": "GetItem PutItem",
        "requests/index/agenda": "Query",
        "requests/index/by_account": "Query",
        "requests/index/held": "Query",
        "requests/index/open": "Query",
        "approvals": "BatchGetItem ConditionCheckItem GetItem",
        "approvals/index/by_kind": "Query",
        "approvals/index/covering": "Query",
    },
    "approvals": {
        "key": "DescribeKey GetKeyLastUsage GetKeyPolicy ListGrants ListKeyPolicies",
        "requests": "BatchGetItem GetItem PutItem Query",
        "requests/index/agenda": "Query",
        "requests/index/by_account": "Query",
        "requests/index/by_kind": "Query",
        "requests/index/by_status": "Query",
        "requests/index/held": "Query",
        "approvals": "BatchGetItem ConditionCheckItem GetItem PutItem Query",
        "approvals/index/by_kind": "Query",
    },
    "expiry": {
        "key": "GetKeyPolicy ListGrants RevokeGrant",
        "requests": "GetItem PutItem UpdateItem",
        "requests/index/agenda": "Query",
        "requests/stream": "DescribeStream GetRecords GetShardIterator ListStreams",
    },
    "reconcile": {
        "key": "ListGrants",
        "role expiry": "ListRetirableGrants",
        "requests": "BatchGetItem GetItem PutItem Query",
        "requests/index/agenda": "Query",
        "requests/index/by_kind": "Query",
        "requests/index/by_status": "Query",
        "approvals": "BatchGetItem GetItem Query",
        "approvals/index/by_kind": "Query",
        "approvals/index/covering": "Query",
    },
    "events": {
        "requests/stream": "DescribeStream GetRecords GetShardIterator ListStreams",
        "topic": "Publish",
        "queue": "SendMessage",
        "mail queue": "DeleteMessage GetQueueAttributes ReceiveMessage SendMessage",
        "bus": "PutEvents",
        "a partner's bus": "PutEvents",
    },
}


def resources() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name to ARN and services of everything in the stack that somebody might want to touch."""
    place = f"{deployed().template.region}:{deployed().template.account}"
    tables = {
        name: deployed().template.reference(f"{name[:-1].title()}Table", "Arn")
        for name in ("requests", "approvals")
    }
    found = {
        "key": (deployed().template.reference("PartnerDataKey", "Arn"), ("kms",)),
        "every key": ("*", ("kms",)),
        "requests/stream": (
            deployed().template.reference("RequestTable", "StreamArn"),
            ("dynamodb", "dynamodbstreams"),
        ),
        "topic": (deployed().template.reference("MailTopic", None), ("sns",)),
        "alarms' topic": (deployed().template.reference("AlarmTopic", None), ("sns",)),
        "mail queue": (deployed().template.reference("MailQueue", "Arn"), ("sqs",)),
        "queue": (deployed().template.reference("FailedEvents", "Arn"), ("sqs",)),
        "bus": (f"arn:aws:events:{place}:event-bus/default", ("events",)),
        "another bus": (f"arn:aws:events:{place}:event-bus/other", ("events",)),
        "a partner's bus": ("arn:aws:events:eu-central-1:444455556666:event-bus/grants", ("events",)),
        "a partner's rule": ("arn:aws:events:eu-central-1:444455556666:rule/grants/x", ("events",)),
        "an outsider's bus": ("arn:aws:events:eu-central-1:777788889999:event-bus/grants", ("events",)),
        "another table": (f"arn:aws:dynamodb:{place}:table/other", ("dynamodb",)),
        "another queue": (f"arn:aws:sqs:{place}:other", ("sqs",)),
        "stack": (deployed().template.stack_id, ("cloudformation",)),
        "everything": ("*", ("dynamodb", "lambda", "iam", "sts", "sns", "sqs", "events", "logs")),
    }
    for name, arn in tables.items():
        found[name] = (arn, ("dynamodb",))
        properties = deployed().template.properties(f"{name[:-1].title()}Table")
        for index in properties["GlobalSecondaryIndexes"]:
            found[f"{name}/index/{index['IndexName']}"] = (f"{arn}/index/{index['IndexName']}", ("dynamodb",))
    for role in ROLES:
        found[f"function {role}"] = (
            f"arn:aws:lambda:{place}:function:{deployed().function_name(role)}",
            ("lambda",),
        )
        found[f"role {role}"] = (deployed().functions[role].role, ("iam", "sts", "kms"))
    return found


def _let_in(arn: str) -> dict[str, Any]:
    """Of another account's bus the policy that lets this account do anything: what is left is the role's."""
    statement = {"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "events:*", "Resource": "*"}
    is_elsewhere = ":event-bus/" in arn and f":{HOME}:" not in arn
    return {"resource_policy": {"Statement": [statement]}} if is_elsewhere else {}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_the_table_says_and_nothing_else(role: str) -> None:
    """Every action of KMS, DynamoDB, Lambda and the stack's other services is decided for every resource."""
    retiring = {"kms:RetiringPrincipal": deployed().template.reference("ExpiryRole", "Arn")}
    found = {}
    for name, (arn, services) in resources().items():
        allowed = [
            action.partition(":")[2]
            for action in actions(*services)
            if decided(call(role, action, arn, **_GRANT, **retiring, **_RECORD), role, **_let_in(arn)).allowed
        ]
        if allowed:
            found[name] = " ".join(sorted(allowed))
    assert found == MAY[role]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_writes_to_its_own_log_only(role: str) -> None:
    """Another function's log cannot be written, none can be read or deleted."""
    for other in ROLES:
        arn = (
            deployed()
            .template.reference(f"{other.title()}Logs", "Arn")
            .replace(":*", ":log-stream:2030/01/01")
        )
        allowed = {action for action in actions("logs") if decided(call(role, action, arn), role).allowed}
        assert allowed == ({"logs:CreateLogStream", "logs:PutLogEvents"} if role == other else set())


@pytest.mark.parametrize("role", ROLES)
def test_no_statement_allows_a_wildcard_action(role: str) -> None:
    """Each allowed action is written out, and Resource is "*" only where the action knows no resource."""
    for policy in policies(role):
        for statement in policy["Statement"]:
            if statement["Effect"] == "Allow":
                assert "NotAction" not in statement
                assert "NotResource" not in statement
                assert not any("*" in action for action in _listed(statement["Action"]))
                if "*" in _listed(statement["Resource"]):
                    assert set(_listed(statement["Action"])) <= {
                        "xray:PutTraceSegments",
                        "xray:PutTelemetryRecords",
                    }


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_every_role_is_for_one_service_and_can_be_bounded() -> None:
    """Lambda alone assumes the functions' roles, EC2 the reader's; all take the boundary that is given."""
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    bounded = template(PermissionsBoundary=boundary)
    for name in template().named("AWS::IAM::Role"):
        trust = template().properties(name)["AssumeRolePolicyDocument"]["Statement"]
        service = "ec2.amazonaws.com" if name == "DataReaderRole" else "lambda.amazonaws.com"
        assert trust == [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]
        assert bounded.properties(name)["PermissionsBoundary"] == boundary
        assert "PermissionsBoundary" not in template().properties(name)


def test_partners_are_told_in_this_region_alone() -> None:
    """A bus of a trusted account, asked for here; not in another Region, and nobody's without trust."""
    bus = "arn:aws:events:eu-central-1:444455556666:event-bus/grants"

    def may(region: str, **parameters: str) -> bool:
        asked = call("events", "events:PutEvents", bus, **{"aws:RequestedRegion": region})
        found = policies("events", deployed(**parameters))
        return decide(asked, identity_policies=found, **_let_in(bus)).allowed

    assert may("eu-central-1")
    assert not may("us-east-1")
    assert not may("eu-central-1", TrustedAccounts="777788889999")
    assert not may("eu-central-1", TrustedAccounts="")


def test_of_the_approval_table_events_reads_accounts_alone() -> None:
    """What people call an account and where its bus is; no vote, no key, no standing approval, no block."""
    table = deployed().template.reference("ApprovalTable", "Arn")

    def may(action: str, *keys: str) -> bool:
        asked = call("events", f"dynamodb:{action}", table, **{"dynamodb:LeadingKeys": list(keys)})
        return decided(asked, "events").allowed

    assert may("GetItem", "account#444455556666")
    for other in ("request#1", "approval#1", "key#arn", "used#1", "block#all", "accounts"):
        assert not may("GetItem", other)
    assert not may("GetItem")
    assert not any(may(action, "account#444455556666") for action in ("PutItem", "Query", "DeleteItem"))


def test_requests_asks_the_listed_functions_and_no_other() -> None:
    """The right to invoke is for TicketHooks' functions, in their unqualified form; no other role has it."""
    hook, version = tickets.HOOK, f"{tickets.HOOK}:1"

    def may(role: str, arn: str, **parameters: str) -> bool:
        asked = call(role, "lambda:InvokeFunction", arn)
        return decide(asked, identity_policies=policies(role, deployed(**parameters))).allowed

    assert may("requests", hook)
    assert not may("requests", version)
    assert not may("requests", tickets.UNLISTED)
    assert not may("requests", hook, TicketHooks="")
    assert not any(may(role, hook) for role in ROLES if role != "requests")


def test_looking_for_use_takes_these_rights_more() -> None:
    """With `UsageEvidence` lists read what was seen, and `events` reads requests and writes usage alone."""
    watched = deployed(UsageEvidence="yes")
    table = watched.template.reference("RequestTable", "Arn")

    def may(role: str, action: str, resource: str, partition: str) -> bool:
        asked = call(role, action, resource, **{**_RECORD, "dynamodb:LeadingKeys": [partition]})
        return decide(asked, identity_policies=policies(role, watched)).allowed

    record, usage = _RECORD["dynamodb:LeadingKeys"][0], f"usage#{'0' * 32}"
    assert may("requests", "dynamodb:BatchGetItem", table, usage)
    assert not decided(call("requests", "dynamodb:BatchGetItem", table, **_RECORD), "requests").allowed
    assert may("events", "dynamodb:BatchGetItem", table, record)
    assert may("events", "dynamodb:Query", f"{table}/index/by_account", record)
    assert may("events", "dynamodb:UpdateItem", table, usage)
    assert not may("events", "dynamodb:UpdateItem", table, record)
    for role in ("requests", "approvals", "expiry", "reconcile"):
        assert not may(role, "dynamodb:PutItem", table, usage)
