"""No role holds an action that its function does not use: one tour through the product uses them all."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.aws.limits_versions import LimitsVersions
from grant_broker.expiry import check as end_check
from grant_broker.reconcile.run import reconcile
from grant_broker.requests import check as create_check
from tests.infrastructure.stack import ROLES
from tests.infrastructure.test_roles import MAY
from tests.local_aws.actions import Place, needs
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall
from tests.support.faults import lost, refused
from tests.support.scene import InProcessStack

# Lambda itself makes these calls in the function's name, or they come with the events of AWS.
_LAMBDA = {
    ("expiry", "requests/stream"): {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
    ("events", "requests/stream"): {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
    ("events", "queue"): {"SendMessage"},
    ("events", "mail queue"): {"SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"},
    # tests/integration/events publishes through them.
    ("events", "topic"): {"Publish"},
    ("events", "bus"): {"PutEvents"},
    ("events", "a partner's bus"): {"PutEvents"},
}


@pytest.fixture
def scene() -> Iterator[InProcessStack]:
    """The deployed template."""
    made = InProcessStack.deploy()
    made.reset()
    yield made
    moto_api_backend.reset()


class Uses:
    """What each role's calls needed, by the table of roles' names.

    An operation in `fails` is refused; the next one in `loses` takes effect, and its answer is lost.
    """

    def __init__(self, scene: InProcessStack) -> None:
        self.found: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.fails: set[str] = set()
        self.loses: set[str] = set()
        self._place = Place(scene.deployment.cloud.home, scene.deployment.cloud.region)
        self._role_of = scene.deployment.function_of
        self._tables = {
            scene.deployment.request_table: "requests",
            scene.deployment.approval_table: "approvals",
        }

    def __call__(self, call: AwsCall, run: Callable[[], Response]) -> Response | None:
        """Take a call in, and let it go on."""
        role = str(self._role_of(call.principal))
        if call.service == "kms":
            resource = "role expiry" if call.operation == "ListRetirableGrants" else "key"
            self.found[role, resource].add(call.operation)
        elif call.service == "dynamodb":
            for need in needs("dynamodb", call.operation, call.parameters, self._place):
                table, slash, index = need.resource.partition(":table/")[2].partition("/")
                self.found[role, f"{self._tables[table]}{slash}{index}"].add(need.action.partition(":")[2])
        if call.operation in self.loses:
            self.loses.remove(call.operation)
            return lost(run)
        return refused("AccessDeniedException")(run) if call.operation in self.fails else None


def _tour(scene: InProcessStack, uses: Uses) -> None:
    ids = [scene.active(encryption_context={"tenant": name}) for name in "abc"]
    assert scene.release(ids[0]).status == scene.revoke(ids[1]).status == 202
    assert scene.approve_ahead().status == 201
    assert scene.submit().status == 201
    for path in ("/requests", "/keys", f"/requests/{ids[2]}"):
        assert scene.call("partner", "GET", path).status == 200
    key = f"keys/{scene.key_id}"
    lists = (
        "requests",
        f"requests/{ids[2]}",
        "approvals",
        "keys",
        "events",
        "debt",
        f"{key}/access",
        f"{key}/proposals",
    )
    for path in lists:
        assert scene.call("alice", "GET", f"/security/{path}").status == 200
    for query in ({"account": "444455556666"}, {"status": "active"}):
        assert scene.call("alice", "GET", "/security/requests", query=query).status == 200
    # A mass revocation reads the requests that it matches and the votes on them together.
    colleague = scene.grantee("partner_colleague")
    assert scene.submit(grantee=colleague, encryption_context={"tenant": "x"}).status == 201
    kill = {"grantee": colleague, "reason": "drill"}
    assert scene.call("alice", "POST", "/security/revocations", kill).status == 202
    # A quorum that was raised since: reconcile looks up when, and `approvals` whether it is kept what it was.
    assert scene.limit(quorum=2).status == 200
    scene.expire()
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    # A key that was registered is checked by each function for itself.
    assert create_check.run(scene.brokers.broker("requests")) == 1
    assert end_check.run(scene.brokers.broker("expiry")) == 1
    # A record that was lost: reconcile looks for what might have covered its grant; and an answer that is
    # lost: it looks whether its record was written.
    scene.tables.delete_item(
        TableName=scene.deployment.request_table,
        Key={"pk": {"S": f"request#{ids[2]}"}, "sk": {"S": "request"}},
    )
    uses.loses = {"TransactWriteItems"}
    # And a key of an earlier release, of whose limits no version is kept: the present ones are read.
    versions = LimitsVersions(scene.brokers.broker("reconcile").store.tables).list(scene.key_arn)
    for number in (version.number for version in versions):
        version = {"pk": {"S": f"key#{scene.key_arn}"}, "sk": {"S": f"version#{number:06d}"}}
        scene.tables.delete_item(TableName=scene.deployment.approval_table, Key=version)
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    uses.fails = {"RetireGrant"}
    scene.clock.now += timedelta(hours=3)
    scene.expire()


def test_every_allowed_action_is_used(scene: InProcessStack) -> None:
    """What the table of roles allows and the tour does not need, Lambda does, or the function's own tests."""
    uses = Uses(scene)
    scene.deployment.cloud.intercept = uses
    _tour(scene, uses)
    unused = {
        (role, resource): left
        for role in ROLES
        for resource, actions in MAY[role].items()
        if (left := set(actions.split()) - uses.found[role, resource] - _LAMBDA.get((role, resource), set()))
    }
    assert unused == {}
