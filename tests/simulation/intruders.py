"""Who acts past the API: a stranger with a key of their own, and whoever has taken a function over."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.local_aws.actions import Place, needs
from tests.local_aws.answers import AwsError
from tests.local_stack.people import HOME, OUTSIDER
from tests.simulation.expressions import Item
from tests.simulation.ledger import PREFIX

if TYPE_CHECKING:
    from tests.simulation.world import World

_SCOPE: dict[str, Any] = {
    "Operations": ["Encrypt"],
    # Nothing that anybody here asks for or approves.
    "Constraints": {"EncryptionContextEquals": {"tenant": "nobody's"}},
}
EXTREMES: dict[str, Any] = {
    "due now": {"due": {"N": "1"}},
    "due never": {"due": {"N": str(10**13)}},
    "without an id": {"id": None},
    "without an action": {"action": None},
    "in the last year": {key: {"S": "9999-12-31T23:59:59Z"} for key in ("expires_at", "intent_at")},
    "a number for a text": {"grant_id": {"N": "1"}},
    "a list for a map": {"scope": {"L": []}},
    "no version": {"version": {"S": "first"}},
    "attempts": {"attempts": {"N": str(10**12)}},
}
"""What of a stored record is replaced (None: left out), so that nobody can use it."""
STATUSES = ("approved", "issuing", "active", "ending", "released", "failed")


class Intruders:
    """What they do; each of it is noted in the ledger, which asks no more of what they have forged."""

    def __init__(self, world: "World") -> None:
        self.world, cloud = world, world.cloud
        outsider = world.deployment.people["outsider"]
        own = {"Effect": "Allow", "Principal": {"AWS": outsider.grantee}, "Action": "kms:*", "Resource": "*"}
        self.key = cloud.create_key({"Version": "2012-10-17", "Statement": [own]}, account=OUTSIDER)
        self._outsider = outsider.credentials
        self._roles = {name: world.deployment.credentials(name) for name in world.deployment.functions}
        self._retiring = world.deployment.functions["expiry"].role

    def forget(self) -> None:
        """A new example."""
        for grant in self.world.cloud.grants(self.key):
            self._kms(self._outsider, "RevokeGrant", KeyId=self.key, GrantId=grant["GrantId"])

    # ------------------------------------------------------------ grants
    def name(self, kind: str, pick: int) -> str | None:
        """The Name of a grant: none, any, as the broker would name one, or that of a live grant."""
        own, end = self.world.ledger.own(), int(self.world.now.timestamp()) + (pick - 5) * 600
        if kind == "borrowed" and own:
            return str(own[pick % len(own)]["Name"])
        return {"none": None, "any": "backup"}.get(kind, f"{PREFIX}{pick:032x}/{end}")

    def grant_elsewhere(self, name: str | None) -> None:
        """The stranger makes a grant on their own key, and names the role of `expiry`."""
        given = {"KeyId": self.key, "GranteePrincipal": self.world.grantees[0], **_SCOPE}
        self.world.ledger.elsewhere.add(self._grant(self._outsider, name, given))

    def grant_here(self, key: str, name: str | None, grantee: int) -> None:
        """Whoever has taken `requests` over makes a grant inside the fence, which nobody approved."""
        who = self.world.grantees[grantee % 4]
        if who not in self.world.cloud.directory.principals:
            return
        given = {"KeyId": self.world.keys.arns[key], "GranteePrincipal": who, **_SCOPE}
        try:
            made = self._grant(self._roles["requests"], name, given)
        except AwsError:
            return  # the key is disabled, or shut to the broker
        self.world.ledger.stolen[made] = name

    def _grant(self, caller: Any, name: str | None, given: Mapping[str, Any]) -> str:
        named = {} if name is None else {"Name": name}
        return str(self._kms(caller, "CreateGrant", RetiringPrincipal=self._retiring, **given, **named))

    def _kms(self, caller: Any, operation: str, **parameters: Any) -> Any:
        _, _, body = self.world.cloud.kms_of(parameters["KeyId"]).handle(caller, operation, parameters)
        return json.loads(body or b"{}").get("GrantId")

    # ------------------------------------------------------------ the tables
    def write(self, function: str, operation: str, table: str, **parameters: Any) -> bool:
        """A write with a function's role; False where its policies do not allow it."""
        given, caller = {"TableName": table, **parameters}, self._roles[function]
        place = Place(HOME, self.world.cloud.region)
        try:
            for need in needs("dynamodb", operation, given, place):
                self.world.cloud.authority.require(caller, need.action, need.resource, need.context)
        except AwsError:
            return False
        self.world.ledger.forging = True
        try:
            self.world.database.handle(operation, given, caller.arn)
        finally:
            self.world.ledger.forging = False
        return True

    def put(self, function: str, item: Item) -> bool:
        """Put an item into the request table."""
        return self.write(function, "PutItem", self.world.deployment.request_table, Item=item)

    def stored(self, request: str) -> Item:
        """A request's item as stored."""
        table = self.world.database.tables[self.world.deployment.request_table]
        return dict(table.items[f"request#{request}", "request"])

    def spoil(self, function: str, request: str, how: str, *, copy: bool) -> bool:
        """Replace some of a record by what no model allows: in the record, or in a copy beside it."""
        item = {**self.stored(request), **EXTREMES[how]}
        if copy:
            item["pk"] = {"S": f"request#{len(self.world.ledger.forged):032x}"}
        return self.put(function, {name: value for name, value in item.items() if value is not None})

    def claim(self, function: str, request: str, status: str, *, far: bool) -> bool:
        """Write another status into a record, as if it had come there by itself."""
        now = self.world.now.replace(microsecond=0)
        moments = {"intent_at": now, "issued_at": now, "expires_at": now + timedelta(hours=1)}
        fields = {name: {"S": at.isoformat().replace("+00:00", "Z")} for name, at in moments.items()}
        if far:
            fields = {"due": {"N": "4102444800"}, "ended_at": {"S": "2100-01-01T00:00:00Z"}}
        return self.put(function, {**self.stored(request), **fields, "status": {"S": status}})

    def put_off(self, function: str, request: str) -> bool:
        """Move an entry of the agenda to a day that never comes."""
        return self.put(function, {**self.stored(request), "due": {"N": "4102444800"}})

    def lower_quorum(self, function: str, key: str) -> bool:
        """Forge an event that says that a key's quorum was one."""
        subject = f"key#{self.world.keys.arns[key]}"
        event = {"type": {"S": "key_changed"}, "at": {"S": "2029-01-01T00:00:00Z"}}
        detail = {"detail": {"M": {"quorum": {"N": "1"}}}}
        return self.put(function, {"pk": {"S": subject}, "sk": {"S": "event#000099"}, **event, **detail})

    def overreach(self, function: str) -> list[str]:
        """What this role writes although it is another's: counters of the ends, marks of use, deletions."""
        tables, second = self.world.deployment, int(self.world.now.timestamp())
        key = {"pk": {"S": f"rate#retire#{second + 60}"}, "sk": {"S": "limit"}}
        counter = {**key, "turns": {"N": str(10**6)}}
        used = {"pk": {"S": f"used#{0:032x}"}, "sk": {"S": "used"}}
        approval = {**used, "pk": {"S": "approval#1"}}
        tries = {
            "a counter of ends": ("expiry", "PutItem", tables.request_table, {"Item": counter}),
            "a mark of use": ("expiry", "PutItem", tables.approval_table, {"Item": used}),
            "an approval": ("approvals", "PutItem", tables.approval_table, {"Item": approval}),
            "a deletion": (None, "DeleteItem", tables.request_table, {"Key": key}),
        }
        return [
            what for what, (owner, operation, table, given) in tries.items()
            if function != owner and self.write(function, operation, table, **given)
        ]  # fmt: skip
