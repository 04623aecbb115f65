"""The target of the attacks: what is there before the attacker comes, and how an outcome is told."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from tests.end_to_end.conftest import Running
from tests.local_stack.client import Answer
from tests.support.limits import break_glass, limits

HOME, PARTNER = "111122223333", "444455556666"
CONTEXT = {"dataset": "orders"}


@dataclass
class Target:
    """A running stack, a partner's live grant, and a second key that the home account may ask for too."""

    stack: Running
    _made: dict[str, Any] = field(default_factory=dict)
    reserved_at: float = 0
    """When the duty role became the only approver of its key."""

    @cached_property
    def grant(self) -> dict[str, Any]:
        """The partner's Request with a live grant for Encrypt."""
        return self.stack.granted(encryption_context=CONTEXT)

    @cached_property
    def pending(self) -> dict[str, Any]:
        """A pending request of the partner."""
        return self.submit("partner")

    @cached_property
    def home_key(self) -> str:
        """A key of the key administrator's, registered for the home account with a quorum of two."""
        arn = self._new_key()
        document = limits(name="home_data", accounts=[HOME, PARTNER], quorum=2)
        key_id = arn.rpartition("/")[2]
        answer = self.stack.call("alice", "PUT", f"/security/keys/{key_id}", document)
        assert answer.status == 201, answer.body
        return arn

    @cached_property
    def duty_key(self) -> str:
        """A key on which the duty role alone decides."""
        return str(self.approved_before["key"])

    @cached_property
    def approved_before(self) -> dict[str, Any]:
        """A partner's request on the duty role's key, approved by alice while she was an approver of it."""
        key_id, document = self._new_key().rpartition("/")[2], limits(name="duty_data", accounts=[PARTNER])
        path = f"/security/keys/{key_id}"
        assert self.stack.call("alice", "PUT", path, document).status == 201
        request = self.submit("partner", key="duty_data", encryption_context=CONTEXT)
        assert self.vote("alice", request).status == 200
        duty = self.stack.aws("duty", "sts").get_caller_identity()["UserId"].partition(":")[0]
        answer = self.stack.call("alice", "PUT", path, {**document, "approvers": [duty]})
        assert answer.status == 200, answer.body
        self.reserved_at = time.monotonic()
        return request

    @cached_property
    def emergency_key(self) -> str:
        """A key whose break-glass names the partner's role, for five minutes, once a day."""
        arn = self._new_key()
        rules = break_glass(self.stack.grantee("partner"), max_duration="PT5M", per_day=1)
        document = limits(name="emergency_data", accounts=[PARTNER], break_glass=rules)
        path = f"/security/keys/{arn.rpartition('/')[2]}"
        assert self.stack.call("alice", "PUT", path, document).status == 201
        return arn

    def _new_key(self) -> str:
        """A further key of the key administrator's."""
        roles = {name: self.role(name) for name in ("requests", "approvals", "expiry", "reconcile")}
        kms = self.stack.aws("key_admin", "kms")
        return str(kms.create_key(Policy=json.dumps(_key_policy(roles)))["KeyMetadata"]["Arn"])

    def role(self, function: str) -> str:
        """The ARN of a function's role."""
        name = self.stack.credentials(f"functions.{function}").arn.split("/")[1]
        return f"arn:aws:iam::{HOME}:role/{name}"

    def submit(self, person: str, **changes: Any) -> dict[str, Any]:
        """A request of this person's, as it was answered."""
        made = self.stack.call(person, "POST", "/requests", self.stack.submission(person, **changes))
        assert made.status == 201, made.body
        return dict(made.body)

    def approved(self, **changes: Any) -> dict[str, Any]:
        """A partner's request that alice approved and nobody took up."""
        request = self.submit("partner", **changes)
        assert self.vote("alice", request).status == 200
        return request

    def vote(self, person: str, request: dict[str, Any], **more: Any) -> Answer:
        """One vote for a request."""
        path = f"/security/requests/{request['id']}/decision"
        return self.stack.call(person, "POST", path, {"verdict": "approve"}, **more)

    def own(self, grantee: str = "data_reader") -> dict[str, Any]:
        """A request of alice's on the second key, for a grantee of the home account."""
        return self.submit("alice", key=self.home_key, grantee=self.stack.grantee(grantee))


Run = Callable[[Target], str]


@dataclass(frozen=True)
class Attack:
    """What is tried, what must come of it, and the attempt itself."""

    name: str
    outcome: str
    run: Run


def told(answer: Answer) -> str:
    """An API answer in words: the status, and the code of a problem document."""
    code = (answer.body or {}).get("code")
    return f"{answer.status} {code}" if code else str(answer.status)


def tried(call: Callable[..., Any], **parameters: Any) -> str:
    """What AWS made of a call: its error code, or `done`."""
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


def _key_policy(roles: dict[str, str]) -> dict[str, Any]:
    root = {"AWS": f"arn:aws:iam::{HOME}:root"}
    readers = {"AWS": list(roles.values())}
    read = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"]
    manage = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:ListGrants", "kms:CreateGrant"]
    statements = [
        {"Sid": "Administration", "Principal": root, "Action": manage},
        {"Sid": "Issue", "Principal": {"AWS": roles["requests"]}, "Action": "kms:CreateGrant"},
        {"Sid": "ReadGrants", "Principal": readers, "Action": read},
        {"Sid": "End", "Principal": {"AWS": roles["expiry"]}, "Action": "kms:RevokeGrant"},
    ]
    each = [{"Effect": "Allow", "Resource": "*", **statement} for statement in statements]
    return {"Version": "2012-10-17", "Statement": each}
