"""Key policies: what PutKeyPolicy takes, and whom they name when a principal is recreated."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from grant_broker.policy_engine import Policy, parse_policy
from tests.local_aws.answers import AwsError
from tests.local_aws.identities import Directory

LARGEST = 32 * 1024
_ACCOUNT = re.compile(r"(?:arn:aws:iam::)?\d{12}(?::root)?", re.ASCII)


_OF_ONE_VALUE = {"kms:encryptioncontext:": "encryption context", "aws:requesttag/": "tag"}


class KeyPolicy:
    """A key policy as stored. It holds principals by their unique ids: a recreated one is another."""

    def __init__(self, directory: Directory, text: str) -> None:
        self._directory = directory
        self._document: dict[str, Any] = json.loads(text)
        self._ids = {arn: directory.resolve(arn) for arn in named(self._document)}
        self._shown: tuple[int, str, Policy] | None = None

    @property
    def text(self) -> str:
        """The policy as GetKeyPolicy shows it; a principal that is gone appears as its unique id."""
        return self._current()[1]

    @property
    def read(self) -> Policy:
        """The policy as the engine reads it."""
        return self._current()[2]

    def _current(self) -> tuple[int, str, Policy]:
        if self._shown is None or self._shown[0] != self._directory.changes:
            gone = {
                arn: unique_id.split(":")[0]
                for arn, unique_id in self._ids.items()
                if unique_id and self._directory.resolve(arn) != unique_id
            }
            text = json.dumps(_renamed(self._document, gone), indent=2)
            self._shown = (self._directory.changes, text, parse_policy(text))
        return self._shown


def check(directory: Directory, text: str) -> None:
    """Raises AwsError where KMS would not store the policy. Unconfirmed: the code of too long a policy."""
    if len(text.encode()) > LARGEST:
        raise AwsError("LimitExceededException", f"A key policy has at most {LARGEST} bytes")
    try:
        parse_policy(text)
        document = json.loads(text)
    except ValueError as error:
        raise _malformed(str(error)) from error
    for statement in _statements(document):
        if not {"Principal", "NotPrincipal"} & set(statement):
            raise _malformed("A statement of a key policy needs Principal or NotPrincipal")
        _check_operators(statement.get("Condition", {}))
    for arn in named(document):
        if arn != "*" and not _ACCOUNT.fullmatch(arn) and directory.resolve(arn) is None:
            raise _malformed("Policy contains a statement with one or more invalid principals.")


def _check_operators(conditions: Mapping[str, Mapping[str, object]]) -> None:
    """Raises AwsError for a set operator that is met by a call without the key (developer guide, "Using
    multiple values")."""
    for operator, keys in conditions.items():
        for prefix, what in _OF_ONE_VALUE.items():
            if operator.lower().startswith("forallvalues:") and any(
                k.lower().startswith(prefix) for k in keys
            ):
                using = (
                    "Using the ForAllValues set operator with a single-valued condition key matches requests"
                )
                which = f"without the specified {what} or with an unspecified {what}"
                raise _malformed(f"OverlyPermissiveCondition: {using} {which}. To fix, remove ForAllValues.")


def default_policy(account: str) -> str:
    """AWS's default key policy: the account's IAM policies decide."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]})


def named(document: dict[str, Any]) -> list[str]:
    """The AWS principals that a policy names."""
    found: list[str] = []
    for principals in _principals(document):
        listed = principals["AWS"]
        found.extend([listed] if isinstance(listed, str) else listed)
    return found


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def _principals(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for statement in _statements(document):
        for element in ("Principal", "NotPrincipal"):
            value = statement.get(element)
            if isinstance(value, dict) and "AWS" in value:
                yield value


def _renamed(document: dict[str, Any], gone: dict[str, str]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(document))
    rename: Callable[[str], str] = lambda arn: gone.get(arn, arn)  # noqa: E731 - used in two forms below
    for principals in _principals(copy):
        listed = principals["AWS"]
        principals["AWS"] = rename(listed) if isinstance(listed, str) else [rename(arn) for arn in listed]
    return copy


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocumentException", message)
