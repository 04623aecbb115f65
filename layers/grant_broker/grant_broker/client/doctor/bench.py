"""A key, a role and two tables of one's own to try AWS on, and their end whatever happens."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Self, TypeVar

import boto3
from botocore.exceptions import ClientError

from grant_broker.domain.arns import account_of

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import CreateGrantResponseTypeDef, GrantListEntryTypeDef

T = TypeVar("T")

ALLOWED = "allowed"
CONTEXT = {"Tenant": "a"}
"""What a grant of the bench is constrained to, unless said otherwise."""
_PAUSE = 5.0  # seconds
_DELETED_AFTER = 7  # days, the fewest that KMS takes
_NAME = "grant-broker-conformance"


class Bench:
    """What the probes work on, made in the account of a session. Close it: `failures` says what is left.

    AWS takes a while to know a role and a policy, so a call is repeated for `patience` seconds until it comes
    out as expected.
    """

    def __init__(self, session: boto3.Session, *, patience: float, foreign_key: str | None) -> None:
        self.session, self.foreign_key = session, foreign_key
        self.tag = f"{_NAME}-{uuid.uuid4().hex[:12]}"
        self.kms: KMSClient = session.client("kms")
        self.iam: IAMClient = session.client("iam")
        self.account = account_of(session.client("sts").get_caller_identity()["Arn"])
        self._patience = patience
        self._endings: list[tuple[str, Callable[[], object]]] = []
        self.failures: list[str] = []
        self.role = self.key = ""

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _set_up(self) -> None:
        root = {"AWS": f"arn:aws:iam::{self.account}:root"}
        trust = _policy({"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"})
        made = self.iam.create_role(RoleName=self.tag, AssumeRolePolicyDocument=trust)
        self.role = made["Role"]["Arn"]
        self.at_end(f"the role {self.role}", self.delete_role)
        # Only a call whose constraint has pairs has these keys: that is one of the readings.
        issue = {
            "Effect": "Allow",
            "Principal": {"AWS": self.role},
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {"Null": {"kms:EncryptionContextKeys": "false"}},
        }
        whole = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
        text = _policy(whole, issue)
        words = "made and deleted by grant-broker doctor"
        made_key = self.repeat(lambda: self.kms.create_key(Policy=text, Description=words))
        self.key = made_key["KeyMetadata"]["Arn"]
        self.at_end(
            f"the key {self.key}",
            lambda: self.kms.schedule_key_deletion(KeyId=self.key, PendingWindowInDays=_DELETED_AFTER),
        )
        self.grantee: KMSClient = self.as_role().client("kms")

    def at_end(self, what: str, ending: Callable[[], object]) -> None:
        """Do this when the bench is closed."""
        self._endings.append((what, ending))

    def as_role(self) -> boto3.Session:
        """A session of the role."""
        sts = self.session.client("sts")
        found = self.repeat(lambda: sts.assume_role(RoleArn=self.role, RoleSessionName="conformance"))
        who = found["Credentials"]
        return boto3.Session(
            who["AccessKeyId"],
            who["SecretAccessKey"],
            who["SessionToken"],
            self.session.region_name,
        )

    def grant(
        self, key: str | None = None, *, context: dict[str, str] | None = None
    ) -> "CreateGrantResponseTypeDef":
        """Give the role a grant to encrypt, which it may retire: on the bench's key, or on another."""
        return self.repeat(
            lambda: self.kms.create_grant(
                KeyId=key or self.key,
                GranteePrincipal=self.role,
                RetiringPrincipal=self.role,
                Operations=["Encrypt"],
                Constraints={"EncryptionContextEquals": context or CONTEXT},
            )
        )

    def get_grant(self, grant_id: str, key: str | None = None) -> "GrantListEntryTypeDef":
        """Get a grant as ListGrants shows it."""
        found = self.repeat(lambda: self.kms.list_grants(KeyId=key or self.key, GrantId=grant_id))
        return found["Grants"][0]

    def repeat(self, call: Callable[[], T]) -> T:
        """Call until it goes through; the last ClientError after that."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return call()
            except ClientError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE)

    def outcome(self, wanted: str, call: Callable[..., object], **parameters: object) -> str:
        """`allowed` or the error's code, once it is the wanted one, or patience is over."""
        deadline = time.monotonic() + self._patience
        while True:
            came = _outcome(call, parameters)
            if came == wanted or time.monotonic() > deadline:
                return came
            time.sleep(_PAUSE)

    def put_role_policy(self, name: str, *statements: Mapping[str, object]) -> None:
        """Let the role's own policy say this beside what it says already."""
        self.iam.put_role_policy(RoleName=self.tag, PolicyName=name, PolicyDocument=_policy(*statements))

    def delete_role(self) -> None:
        """Delete the role, whatever policy it has been given."""
        with suppress(self.iam.exceptions.NoSuchEntityException):
            for name in self.iam.list_role_policies(RoleName=self.tag)["PolicyNames"]:
                self.iam.delete_role_policy(RoleName=self.tag, PolicyName=name)
            self.iam.delete_role(RoleName=self.tag)

    def _close(self) -> None:
        for what, ending in reversed(self._endings):
            try:
                ending()
            except ClientError as error:
                self.failures.append(f"{what} is left: {error}")


def _outcome(call: Callable[..., object], parameters: dict[str, object]) -> str:
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ALLOWED


def _policy(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
