"""What truly happened in KMS and in the tables, seen beside the broker, and what of it must not happen."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.domain.adoption import NOT_LISTED
from grant_broker.domain.errors import BrokerError, DatabaseRefused
from grant_broker.domain.times import parse_span
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall
from tests.local_stack.brokers import Answer
from tests.simulation import looks, oracle
from tests.simulation.database import Write
from tests.simulation.injection import Died
from tests.simulation.keys import path_of
from tests.simulation.oracle import Plain, plain

if TYPE_CHECKING:
    from tests.simulation.world import World

PREFIX = "grant-broker/"
_NEVER = datetime(2200, 1, 1, tzinfo=UTC)
CLOCKS = timedelta(seconds=30)
_STATUSES = {200, 201, 202, 204, 400, 403, 404, 409, 429, 503}


def request_of(name: str) -> str:
    """The request id in a grant's name."""
    return name.split("/")[1]


def expiry_of(name: str) -> datetime:
    """The expiry in a grant's name."""
    return datetime.fromtimestamp(int(name.split("/")[2]), UTC)


def _steps(old: Plain, new: Plain) -> int:
    """How many transitions one write holds: what is covered is submitted and intended in one.

    So is what is approved by break-glass.
    """
    return 2 if old.get("status") in {None, "pending"} and new.get("status") == "issuing" else 1


def _sequence(event: Plain) -> int:
    return int(event["sequence"])


class Ledger:
    """`violations` names every invariant that did not hold.

    `remade`: the role of `expiry` was recreated.
    What excuses an early end: `disturbed`, a table was restored; `narrowed`, a key's limits were; `gone`, the
    grantees whose roles were deleted; `doubled`, the requests of a CreateGrant that KMS carried out late.
    `attempted`: the names of grants that the present call has asked KMS for; `documents`: what was sent as
    the limits of each key, by whom, since they were last changed.
    `forged`: the partitions that whoever had taken a function over wrote, `forging` while they do: who may
    write records can have a grant ended, and no more. `stolen`: the grants that they made, by id, with their
    names; `elsewhere`: those on a stranger's key.
    `planted`: the names of grants that a test made past the broker; `foreign`: ids of grants of others.
    """

    def __init__(self, world: "World") -> None:
        self.world, self.retirer = world, world.deployment.functions["expiry"].role
        self.forget()

    def forget(self) -> None:
        """A new example."""
        self.violations: list[str] = []
        self.intents: dict[str, Plain] = {}
        self.ended: list[tuple[str, datetime]] = []
        self.made: Counter[str] = Counter()
        self.born: list[datetime] = []
        self.errors: Counter[str] = Counter()
        self.disturbed = self.narrowed = self.remade = False
        self.doubled: set[str] = set()
        self.planted: set[str] = set()
        self.foreign: set[str] = set()
        self.gone: set[str] = set()
        self.documents: dict[str, list[tuple[str, Any]]] = {}
        self.attempted: set[str] = set()
        self.glass: Counter[tuple[str, str]] = Counter()
        self.forging = False
        self.forged: set[str] = set()
        self.stolen: dict[str, str | None] = {}
        self.elsewhere: set[str] = set()
        self.turns: Counter[tuple[int | None, str, int]] = Counter()

    # ------------------------------------------------------------ the tables
    def written(self, caller: str, writes: list[Write]) -> None:
        """One transaction: what it wrote, all at once."""
        function = str(self.world.deployment.function_of(caller))
        if self.forging:
            self.forged |= {write.key[0] for write in writes}
        for write in writes:
            if write.key[0] in self.forged:
                continue
            may = "expiry" if write.key[0].startswith("used#") else "approvals"
            if write.table == self.world.deployment.approval_table and function != may:
                self.wrong(2, f"{function} wrote the approval table")
            if write.key[1] not in {"request", "approval", "key", "account"}:
                continue
            old, new = plain(write.old), plain(write.new)
            if write.key[1] == "request":
                self._request_written(function, old, new)
            elif write.key[1] == "key":
                self._limits_written(old, new)
            elif write.key[0].startswith("request#"):
                self._votes_written(old, new)
            if new.get("events", 0) > old.get("events", 0) or old.get("status") != new.get("status"):
                self._with_event(write, old, new, writes)

    def _request_written(self, function: str, old: Plain, new: Plain) -> None:
        before, after = old.get("status"), new.get("status")
        if not new or (before in oracle.FINAL and before != after):
            self.wrong(5, f"a request that was {before} is {after}")
        if before == "pending" and after == "issuing" and "broken_glass" in new:
            before = "approved"
        if before and before != after and after not in oracle.NEXT.get(before, ()):
            self.wrong(5, f"{before} became {after}")
        changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        # Putting an entry of the agenda off is no change of the record: its version stays.
        if new and changed != {"due"} and new["version"] != old.get("version", 0) + _steps(old, new):
            self.wrong(
                5, f"{function}: version {new['version']} after {old.get('version')}: {sorted(changed)}"
            )
        if after not in oracle.FINAL and "due" not in new:
            self.wrong(3, f"{function} took a request that is {after} off the agenda")
        hooks, moment = self.world.hooks, "take_up" if old else "submission"
        if not old and new["id"] in hooks.said and not hooks.lets(new["id"], moment):
            self.wrong(1, f"{new['id']} was stored although its ticket does not stand")
        if after == "issuing" and before != "issuing":
            self._intended(function, new, moment)

    def _votes_written(self, old: Plain, new: Plain) -> None:
        request, votes = self.record(new["id"]), new.get("votes", [])
        people = [oracle.person(vote["by"]) for vote in votes]
        if len(set(people)) < len(people):
            self.wrong(1, f"one person voted twice on {new['id']}")
        for vote in votes[len(old.get("votes", [])) :]:
            own = oracle.is_party(vote["by"], requester=request["requester_arn"], grantee=request["grantee"])
            if own and vote["verdict"] == "approve":
                self.wrong(1, f"{vote['by']} approved a request that may be their own: {new['id']}")

    def _limits_written(self, old: Plain, new: Plain) -> None:
        """A key was registered, changed, closed or opened again: as many persons agreed as had to."""
        same = old.get("document") == new["document"] and "withdrawn_at" not in old
        if same or "withdrawn_at" in new or self.disturbed:
            return
        quorum = old.get("document", {}).get("quorum", 1)
        sent = self.documents.pop(new["document"]["key_arn"], [])
        approvers = self.world.roles_of(old.get("document", {}).get("approvers"))
        listed = [arn for arn, body in sent if body == sent[-1][1]]
        listed = [arn for arn in listed if approvers is None or oracle.role_of(arn) in approvers]
        if oracle.agreed(map(oracle.person, listed), quorum) < quorum:
            self.wrong(1, f"a document of a key took effect without {quorum} votes")

    def asked(self, who: str, method: str, path: str, body: Any) -> None:
        """A call begins."""
        if method == "PUT" and path.startswith("/security/keys/"):
            arn = next(arn for arn in self.world.keys.arns.values() if path_of(arn) == path)
            self.documents.setdefault(arn, []).append((self.world.people[who].arn, body))

    def _intended(self, function: str, request: Plain, moment: str) -> None:
        if function != "requests":
            if not request.get("grant_id"):
                self.wrong(1, f"{function} stored an intent")
            return
        table = self.world.database.tables[self.world.deployment.approval_table].items
        key = plain(table.get((f"key#{request['key_arn']}", "key")))
        votes = plain(table.get((f"request#{request['id']}", "approval")))
        if "broken_glass" in request:
            self._glass_broken(request, key)
            return
        named = request.get("approval")
        standing = plain(table.get((f"approval#{named}", "approval"))) if named else {}
        approvers = self.world.roles_of(key["document"].get("approvers")) if key else None
        if why := oracle.uncovered(request, key, {} if named else votes, standing, approvers):
            self.wrong(1, f"the intent of {request['id']} was stored uncovered: {why}")
        for _, until in self.standings(request["key_arn"], request["grantee"]):
            if self.world.now + CLOCKS < until:
                self.wrong(1, f"the intent of {request['id']} was stored under a block")
        self._overseen(request, key, standing, moment)
        if parse_span(request.get("margin", "PT0S")) > parse_span(key["document"].get("margin", "PT0S")):
            self.wrong(3, f"{request['id']} would end before its key's margin")
        longest = oracle.longest_held(key)
        if standing and (held := self._held_with(request, longest)) > longest + CLOCKS:
            self.wrong(1, f"{request['grantee']} would hold for {held} by standing approvals")
        old = self.record(request["extends"]) if "extends" in request else {}
        if old.get("status") == "active" and request["expires_at"] <= old["expires_at"]:
            self.wrong(3, f"the extension {request['id']} would end before the grant that it extends")
        self._keep(request)

    def _overseen(self, request: Plain, key: Plain, standing: Plain, moment: str) -> None:
        """Somebody has looked of late at what a standing approval rests on; the ticket stands."""
        table = self.world.database.tables[self.world.deployment.approval_table].items
        account = plain(table.get((f"account#{request['account']}", "account")))
        over = (self.world.now - CLOCKS).timestamp()
        if standing and (unseen := looks.find_unseen([key, account, standing], over)):
            self.wrong(1, f"the intent of {request['id']} rests on what nobody has looked at: {unseen}")
        if key["document"].get("ticket_hook") and not self.world.hooks.lets(request["id"], moment):
            self.wrong(1, f"the intent of {request['id']} was stored without a ticket that stands")

    def _glass_broken(self, request: Plain, key: Plain) -> None:
        if why := oracle.unbreakable(request, key):
            self.wrong(1, f"the glass was broken for {request['id']}: {why}")
        day = request["key_arn"], request["broken_glass"]["at"][:10]
        self.glass[day] += 1
        # With the table the count of the day is lost.
        if not self.disturbed and self.glass[day] > key["document"]["break_glass"]["per_day"]:
            self.wrong(1, f"break-glass was used {self.glass[day]} times on {day}")
        self._keep(request)

    def _keep(self, request: Plain) -> None:
        stamp = int(oracle.time(request["expires_at"]).timestamp())
        self.intents[f"{PREFIX}{request['id']}/{stamp}"] = request

    def _held_with(self, request: Plain, longest: timedelta) -> timedelta:
        """How long the grantee would hold without a break, at least: by its live grants.

        But for those that are overdue by as much as one may hold: alarms sound by then.
        """
        if self.disturbed or self.world.injector.blinded:
            return timedelta()
        start = oracle.time(request["issued_at"])
        live = {grant["Name"] for grant in self.own()}
        for name, intent in self.intents.items():
            same = (intent["grantee"], intent["key_arn"]) == (request["grantee"], request["key_arn"])
            known = name in live and request_of(name) not in self.doubled
            known = known and expiry_of(name) + longest > self.world.now
            if known and same and oracle.meet(intent["scope"], request["scope"]):
                start = min(start, oracle.time(intent["issued_at"]))
        return oracle.time(request["expires_at"]) - start

    def _with_event(self, write: Write, old: Plain, new: Plain, writes: list[Write]) -> None:
        sequences = range(new["events"] - _steps(old, new) + 1, new["events"] + 1)
        keys = [(write.key[0], f"event#{sequence:06d}") for sequence in sequences]
        events = sorted((plain(other.new) for other in writes if other.key in keys), key=_sequence)
        head = old.get("last_hash", "0" * 64)
        for event in events:
            if event["previous"] != head or event["hash"] != oracle.sealed(event):
                self.wrong(5, f"{write.key} became {new.get('status')} with an event that does not follow")
            head = event["hash"]
        if [event["sequence"] for event in events] != list(sequences) or head != new.get("last_hash"):
            self.wrong(5, f"{write.key} became {new.get('status')} without its event")
        is_look = bool(events) and events[-1]["type"] == "reviewed"
        if is_look and not self.disturbed and looks.is_by_its_maker(self.events(write.key[0])):
            self.wrong(1, f"who made {write.key[0]} signed it off")

    # ------------------------------------------------------------ KMS
    def sent(self, call: AwsCall) -> None:
        """A KMS call leaves a function."""
        if call.operation != "CreateGrant" or call.parameters.get("DryRun"):
            return None
        given = call.parameters
        name, intent = given.get("Name", ""), self.intents.get(given.get("Name", ""))
        if self.is_forged(name):
            return None
        if self.world.deployment.function_of(call.principal) != "requests":
            self.wrong(2, f"{call.principal} called CreateGrant")
        if intent is None:
            return self.wrong(2, f"CreateGrant of {name} before its intent was stored")
        kind = (
            "EncryptionContextEquals"
            if intent["scope"]["context_match"] == "equals"
            else "EncryptionContextSubset"
        )
        wanted = {
            "KeyId": intent["key_arn"], "GranteePrincipal": intent["grantee"],
            "Operations": intent["scope"]["operations"],
            "Constraints": {kind: intent["scope"]["encryption_context"]},
        }  # fmt: skip
        if any(given[part] != value for part, value in wanted.items()):
            self.wrong(2, f"CreateGrant of {name} is not what was intended")
        if name in self.attempted and self.record(intent["id"]).get("status") != "issuing":
            self.wrong(2, f"CreateGrant of {name} was repeated although its request has moved on")
        self.attempted.add(name)
        if self.world.now - oracle.time(intent["intent_at"]) > timedelta(seconds=20) + CLOCKS:
            self.wrong(2, f"CreateGrant of {name} more than 20 s after its intent")
        return None

    def effect(self, call: AwsCall, run: Callable[[], Response]) -> Response:
        """A KMS call takes effect."""
        ending = call.operation in {"RetireGrant", "RevokeGrant"}
        key_arn, grant_id = self._named(call.parameters) if ending else ("", "")
        if ending and key_arn not in self.world.keys.arns.values():
            self.wrong(3, f"{call.operation} on a key that is nobody's business: {call.parameters}")
        grant = self._grant(key_arn, grant_id) if ending else None
        answer = run()
        if answer[0] == 200 and grant:
            self._ended(call, grant)
        if answer[0] == 200 and call.operation == "CreateGrant":
            self.made[json.loads(answer[2])["GrantId"]] += 1
            self.born.append(self.world.now)
        return answer

    def _named(self, given: Plain) -> tuple[str, str]:
        """Key and id of the grant that a call is to end."""
        if "GrantToken" in given:
            kms = next(
                kms
                for kms in self.world.cloud.kms_in.values()
                if given["GrantToken"] in kms.access.grants.tokens
            )
            return kms.access.grants.tokens[given["GrantToken"]]
        return given["KeyId"], given["GrantId"]

    def _grant(self, key_arn: str, grant_id: str) -> Plain | None:
        found = self.world.cloud.grants(key_arn)
        return next((grant for grant in found if grant["GrantId"] == grant_id), None)

    def _ended(self, call: AwsCall, grant: Plain) -> None:
        name = grant.get("Name", "")
        if self.world.deployment.function_of(call.principal) != "expiry":
            self.wrong(3, f"{call.principal} ended {name}")
        ours = name.startswith(PREFIX) or grant["GrantId"] in self.stolen
        retirer = grant.get("RetiringPrincipal", "")
        known = retirer == self.retirer or (self.remade and retirer.startswith("AROA"))
        if not ours or not known:
            return self.wrong(3, f"a foreign grant was ended: {name}")
        self._at_the_rate(call)
        if grant["GrantId"] in self.stolen:
            return None
        self.ended.append((name, self.world.now))
        if name in self.intents and self._is_early(name) and not self._wanted(name):
            self.wrong(3, f"{name} was ended before its time, and nobody asked for it")
        return None

    def _is_early(self, name: str) -> bool:
        margin = timedelta(seconds=parse_span(self.intents[name].get("margin", "PT0S")))
        return expiry_of(name) - margin - self.world.now > CLOCKS

    def _at_the_rate(self, call: AwsCall) -> None:
        clock = self.world.now + self.world.skew["expiry"]
        turn = self.world.injector.calm, f"{call.operation} in {call.region}", int(clock.timestamp())
        self.turns[turn] += 1
        if turn[0] is not None and self.turns[turn] > oracle.RATE:
            self.wrong(3, f"more than {oracle.RATE} grants were ended in a second by {call.operation}")

    def _wanted(self, name: str) -> bool:
        record = self.record(request_of(name))
        if (
            self.disturbed
            or self.narrowed
            or request_of(name) in self.doubled
            or self.is_forged(name)
            or record["grantee"] in self.gone
        ):
            return True
        if record.get("status") in oracle.FINAL:
            return True  # a late duplicate
        events = [event for event in self.trail(request_of(name)) if event["type"] == "ending"]
        if self.remade and events and events[-1]["detail"]["reason"] == NOT_LISTED:
            return True  # out of sight with the old role: nobody can tell it from one that others ended
        by_people = bool(events) and events[-1]["by"] != "reconcile"
        revoked = any(self.standings(record["key_arn"], record["grantee"]))
        return by_people or (bool(events) and (revoked or self._approval_withdrawn(record)))

    def standings(self, key_arn: str, grantee: str) -> list[tuple[datetime, datetime]]:
        """From when until when revocations stood on blocks that match a grant, by the table's own items."""
        table = self.world.database.tables[self.world.deployment.approval_table].items
        account, name = oracle.role_of(grantee) if grantee.startswith("arn:") else ("", grantee)
        holders = {"*#*", f"{account}#*", f"*#{account}:role/{name}".lower()}
        found = []
        for key_name in ("*", key_arn):
            for holder in holders:
                block = plain(table.get((f"block#{key_name}#{holder}", "block")))
                for each in block.get("standings", []):
                    ends = [oracle.time(each[part]) for part in ("until", "lifted_at") if each.get(part)]
                    found.append((oracle.time(each["since"]), min(ends, default=_NEVER)))
        return found

    def _approval_withdrawn(self, record: Plain) -> bool:
        table = self.world.database.tables[self.world.deployment.approval_table].items
        approval = plain(table.get((f"approval#{record.get('approval')}", "approval")))
        return bool(approval.get("revoke_active", False))

    # ------------------------------------------------------------ answers
    def answered(self, who: str, method: str, path: str, answer: Answer) -> None:
        """What a caller was told."""
        if answer.status not in _STATUSES:
            self.wrong(7, f"{method} {path} answered {answer.status}")
        if path.startswith("/security") or not path.startswith("/requests") or answer.status >= 300:
            return
        account = self.world.people[who].account
        for shown in answer.body.get("items", [answer.body]):
            if shown["requester"]["account"] != account:
                self.wrong(7, f"{who} was shown {shown['id']} of {shown['requester']['account']}")

    def failed(self, function: str, error: BaseException) -> None:
        """A run ended with an error: one that AWS can answer with, or the end of its process."""
        if not isinstance(error, Died | BrokerError | DatabaseRefused | ClientError | BotoCoreError):
            self.wrong(0, f"{function} failed with {error!r}")
        self.errors[f"{function}: {type(error).__name__}"] += 1

    # ------------------------------------------------------------ reading
    def record(self, request_id: str) -> Plain:
        """The request as stored; empty where there is none."""
        table = self.world.database.tables[self.world.deployment.request_table]
        return plain(table.items.get((f"request#{request_id}", "request")))

    def trail(self, request_id: str) -> list[Plain]:
        """The stored events of a request in order."""
        return self.events(f"request#{request_id}")

    def events(self, subject: str) -> list[Plain]:
        """The stored events of any subject in order."""
        table = self.world.database.tables[self.world.deployment.request_table]
        found = [(key[1], item) for key, item in table.part(None, subject) if key[1].startswith("event#")]
        return [plain(item) for _, item in sorted(found, key=lambda pair: pair[0])]

    def live(self) -> list[Plain]:
        """Every live grant on the keys."""
        return [grant for arn in self.world.keys.arns.values() for grant in self.world.cloud.grants(arn)]

    def own(self) -> list[Plain]:
        """Every live grant that is named as the broker names its grants."""
        return [grant for grant in self.live() if grant.get("Name", "").startswith(PREFIX)]

    def is_forged(self, name: str) -> bool:
        """Whether a grant's name leads to a record that whoever had taken a function over has written."""
        return f"request#{request_of(name)}" in self.forged if name.startswith(PREFIX) else False

    def wrong(self, invariant: int, what: str) -> None:
        """An invariant did not hold."""
        self.violations.append(f"invariant {invariant}: {what}")
