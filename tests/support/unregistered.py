"""The founding scenario with its key registered, and calls by name."""

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.local_aws.cloud import Cloud
from tests.local_stack.brokers import Answer, Brokers
from tests.local_stack.deployment import Deployment
from tests.support.context import Context
from tests.support.limits import limits as whole

ACCOUNTS = ["444455556666", "666677778888"]


class Scene:
    """A deployment, its functions in this process, and a clock that the test moves."""

    def __init__(self, **parameters: str) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.cloud = Cloud(lambda: self.now)
        self.deployment = Deployment.create(self.cloud, parameters=parameters)
        self.brokers = Brokers(self.deployment, lambda: self.now, lambda _seconds: None)
        self.key = self.deployment.keys["partner_data"]
        self.key_id = self.key.rpartition("/")[2]

    def call(self, who: str, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """One API call."""
        return self.brokers.call(self.deployment.people[who].credentials, method, path, body, query=query)

    def security(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """A call by a member of the security team, below the key."""
        return self.call("alice", method, f"/security/keys/{self.key_id}{path}", body, **query)

    def register(self, **limits: Any) -> Answer:
        """Register the key with default limits."""
        return self.security("PUT", "", whole(**{"accounts": ACCOUNTS, **limits}))

    def submission(self, **changes: Any) -> dict[str, Any]:
        """The founding request: Encrypt for two hours."""
        base = {
            "key": "partner_data", "grantee": self.grantee("partner"), "operations": ["Encrypt"],
            "encryption_context": {"tenant": "a"}, "duration": "PT2H", "reason": "nightly load",
        }  # fmt: skip
        return {**base, **changes}

    def submit(self, **changes: Any) -> Answer:
        """Submit the founding request."""
        return self.call("partner", "POST", "/requests", self.submission(**changes))

    def grant(self, **changes: Any) -> Answer:
        """Submit, approve and take up."""
        made = self.submit(**changes)
        self.call("alice", "POST", f"/security/requests/{made.body['id']}/decision", {"verdict": "approve"})
        return self.call("partner", "POST", f"/requests/{made.body['id']}/grant")

    def check(self) -> dict[str, Any]:
        """Run both functions' checks that are due; what the API then says of the key."""
        for function in ("requests", "expiry"):
            self.run(function)
        answer = self.security("GET", "/check")
        assert answer.status == 200
        found: dict[str, Any] = answer.body
        return found

    def run(self, function: str) -> Any:
        """One scheduled run of a function's checks, without its log."""
        handler = inspect.unwrap(self.brokers.handler(function).lambda_handler)
        return handler({"check": function}, Context())

    def policy(self) -> dict[str, Any]:
        """The founding key's policy."""
        found: dict[str, Any] = self.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
        return found

    def put_policy_without(self, *sids: str) -> None:
        """Take statements out of the key's policy."""
        policy = self.policy()
        left = [each for each in policy["Statement"] if each["Sid"] not in sids]
        self.cloud.put_key_policy(self.key, {**policy, "Statement": left})

    def grantee(self, who: str) -> str:
        """The role of a person."""
        found = self.deployment.people[who].grantee
        assert found is not None
        return found

    def allow(self, role: str, actions: list[str], resource: str) -> None:
        """Give a role of the template one more IAM policy."""
        arn = self.deployment.template.reference(role, "Arn")
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        present = self.cloud.directory.principals[arn].policies
        more = {"Version": "2012-10-17", "Statement": [statement]}
        self.cloud.put_role_policies(arn, [*present, more])

    def pass_time(self, **parts: float) -> None:
        """Move the clock."""
        self.now += timedelta(**parts)
