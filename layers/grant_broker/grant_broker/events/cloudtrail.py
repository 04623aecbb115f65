"""CloudTrail's events of KMS, as EventBridge delivers them.

https://docs.aws.amazon.com/kms/latest/developerguide/ct-encrypt.html and its neighbours show them. An event
names no grant. Of another account's principal the key's owner is told an `AWSAccount` with the account and a
principal id; whether an ARN as well is not documented, so both are read.
"""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from grant_broker.domain.arns import key_id_of
from grant_broker.domain.usage import KeyCall


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class _Identity(_Read):
    arn: str | None = None
    principal_id: str = Field(default="", alias="principalId")
    account: str = Field(alias="accountId")


class _Resource(_Read):
    arn: str = Field(alias="ARN")


class _Detail(_Read):
    event_id: str = Field(alias="eventID")
    at: AwareDatetime = Field(alias="eventTime")
    source: str = Field(alias="eventSource")
    operation: str = Field(alias="eventName")
    error: str | None = Field(default=None, alias="errorCode")
    identity: _Identity = Field(alias="userIdentity")
    asked: dict[str, Any] | None = Field(default=None, alias="requestParameters")
    resources: tuple[_Resource, ...] = ()


class _Message(_Read):
    detail: _Detail


def read_calls(body: str) -> list[KeyCall]:
    """Read the calls in a queue's message: two of a ReEncrypt; none of a call that failed.

    ValueError where it is no event of CloudTrail's about KMS.
    """
    detail = _Message.model_validate(json.loads(body)).detail
    if detail.source != "kms.amazonaws.com":
        raise ValueError(f"an event of {detail.source}")
    return [] if detail.error else list(_calls(detail))


def _calls(detail: _Detail) -> Iterator[KeyCall]:
    asked = detail.asked or {}
    keys = [resource.arn for resource in detail.resources]
    if detail.operation != "ReEncrypt":
        for key in keys:
            yield _call(detail, key, detail.operation, asked.get("encryptionContext"))
        return
    # Source and destination, in that order, where both are told. Of one alone it is not said which it is.
    sources, targets = (keys[:1], keys[1:]) if len(keys) > 1 else (keys, keys)
    for key in sources:
        if len(keys) > 1 or key_id_of(str(asked.get("destinationKeyId"))) != key_id_of(key):
            yield _call(detail, key, "ReEncryptFrom", asked.get("sourceEncryptionContext"))
    for key in targets:
        yield _call(detail, key, "ReEncryptTo", asked.get("destinationEncryptionContext"))


def _call(detail: _Detail, key_arn: str, operation: str, context: object) -> KeyCall:
    pairs = context if isinstance(context, dict) else {}
    return KeyCall(
        event_id=detail.event_id,
        at=detail.at,
        account=detail.identity.account,
        principal=detail.identity.arn,
        principal_id=detail.identity.principal_id,
        key_arn=key_arn,
        operation=operation,
        encryption_context={str(name): str(value) for name, value in pairs.items()},
    )
