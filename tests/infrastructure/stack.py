"""The template, deployed once for each set of parameters, and decisions on what its roles may do."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.policy_engine import Call, Decision, decide, decide_kms
from tests.local_aws.cloud import Cloud
from tests.local_stack.deployment import STACK, Deployment
from tests.local_stack.people import HOME, TRUSTED
from tests.local_stack.template import Template

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ROLES = ("requests", "approvals", "expiry", "reconcile", "events")
# What IAM calls actions that the service models call otherwise, or know only as parts of a call.
_RENAMED: dict[str, dict[str, tuple[str, ...]]] = {
    "kms": {"ReEncrypt": ("ReEncryptFrom", "ReEncryptTo")},
    "lambda": {"Invoke": ("InvokeFunction",), "InvokeWithResponseStream": ("InvokeFunctionUrl",)},
    "dynamodb": {
        "ExecuteStatement": ("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"),
        "TransactWriteItems": ("ConditionCheckItem",),
    },
}


@cache
def deployed(**parameters: str) -> Deployment:
    """The template deployed with these parameters; its roles and policies outlive moto's tables."""
    made = Deployment.create(Cloud(lambda: NOW), parameters=parameters)
    moto_api_backend.reset()
    return made


@cache
def template(**parameters: str) -> Template:
    """The template with these parameters, without deploying it."""
    given = {
        "TrustedAccounts": list(TRUSTED),
        "ApproverRoleIds": ["AROA0123456789ABC"],
        "FoundingScenario": "yes",
        **parameters,
    }
    made = Template.read(given, account=HOME, region="eu-central-1", stack=STACK)
    made.physical["PartnerDataKey", "Arn"] = f"arn:aws:kms:eu-central-1:{HOME}:key/{uuid.UUID(int=1)}"
    return made


def role_arn(function: str) -> str:
    """The role of a function, in every deployment of these tests."""
    return template().functions()[function].role


def session_arn(function: str) -> str:
    """A session of a function's role, as Lambda makes it."""
    name = template().reference(template().functions()[function].logical_id, None)
    return f"{role_arn(function).replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/{name}"


@cache
def actions(*services: str) -> tuple[str, ...]:
    """Every action of these services that botocore knows, by IAM's names."""
    session = botocore.session.get_session()
    found = set()
    for service in services:
        prefix = "dynamodb" if service == "dynamodbstreams" else service
        for name in session.get_service_model(service).operation_names:
            names = _RENAMED.get(service, {}).get(name, (name,))
            found |= {f"{prefix}:{each}" for each in names}
    return tuple(sorted(found))


def call(role: str, action: str, resource: str, **context: object) -> Call:
    """A call by a function of the stack, as Lambda runs it."""
    credentials = deployed().credentials(role)
    arn = deployed().functions[role].role
    return Call(credentials.arn, action, resource, {"aws:PrincipalArn": arn, **context})


def policies(role: str, stack: Deployment | None = None) -> list[dict[str, Any]]:
    """Every IAM policy of a function's role."""
    found = stack or deployed()
    return found.cloud.directory.principals[found.functions[role].role].policies


def key_policy() -> dict[str, Any]:
    """The key policy of the founding scenario's key."""
    found: dict[str, Any] = deployed().template.properties("PartnerDataKey")["KeyPolicy"]
    return found


def decided(asked: Call, role: str, key: Mapping[str, Any] | None = None, **more: Any) -> Decision:
    """The decision on a call, by the stack's key policy where it is a call on a key."""
    if ":key/" in asked.resource_arn:
        document = key_policy() if key is None else key
        return decide_kms(asked, key_policy=document, identity_policies=policies(role), **more)
    return decide(asked, identity_policies=policies(role), **more)
