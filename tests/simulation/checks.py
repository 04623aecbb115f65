"""The seven invariants of the design, by what KMS and the tables hold: always, and once faults are lifted."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from grant_broker.domain.arns import find_account
from tests.simulation import oracle
from tests.simulation.ledger import CLOCKS, Ledger, expiry_of, request_of
from tests.simulation.oracle import plain
from tests.simulation.world import World

# Whatever a key's document says of mails.
_ALWAYS_MAILED = frozenset(
    {
        "revoked",
        "adopted",
        "break_glass",
        "drift",
        "end_failed",
        "late_duplicate",
        "key_changed",
        "approval_made",
        "answer_due",
        "account_registered",
        "revocation_made",
        "revocation_finished",
        "block_lifted",
        "reviews_due",
    }
)
_EVENT_IN_A_MAIL = re.compile(r'Event: \\"(\w+)\\"')


def at_once(ledger: Ledger) -> list[str]:
    """What does not hold right now of what must hold always."""
    own, found = ledger.own(), list(ledger.violations)
    known = {*ledger.intents, *ledger.planted, *ledger.stolen.values()}
    found += [
        f"invariant 2: {grant['Name']} lives without an intent" for grant in own
        if grant["Name"] not in known and not ledger.is_forged(grant["Name"])
    ]  # fmt: skip
    live = {grant["GrantId"] for grant in ledger.live()}
    found += [f"invariant 3: the foreign grant {one} was ended" for one in ledger.foreign - live]
    strangers = {grant["GrantId"] for grant in ledger.world.cloud.grants(ledger.world.intruders.key)}
    found += [f"a stranger's grant {one} was ended" for one in ledger.elsewhere - strangers]
    return found if ledger.disturbed else found + _of_requests(ledger, own)


def _of_requests(ledger: Ledger, own: list[dict[str, Any]]) -> list[str]:
    made = [grant for grant in own if grant["GrantId"] not in ledger.stolen]
    honest = [request_of(grant["Name"]) for grant in made if not ledger.is_forged(grant["Name"])]
    requests = [name for name in honest if name not in ledger.doubled]
    twice = [name for name, count in Counter(requests).items() if count > 1]
    ended = [name for name in requests if ledger.record(name).get("status") in oracle.FINAL]
    return [
        *(f"invariant 4: {name} has several live grants" for name in twice),
        *(f"invariant 3: {name} is told to have ended, but its grant lives" for name in ended),
    ]


def chains(ledger: Ledger) -> list[str]:
    """Trails that are not whole: of requests, and of keys and approvals unless their table was restored."""
    deployment, found = ledger.world.deployment, []
    tables = [deployment.request_table] + ([] if ledger.disturbed else [deployment.approval_table])
    for key, item in [pair for name in tables for pair in ledger.world.database.tables[name].items.items()]:
        head = plain(item)
        if key[0] in ledger.forged:
            continue
        is_standing = key[1] == "approval" and key[0].startswith("approval#")
        if key[1] in {"request", "key", "account", "revocation"} or is_standing:
            found += [why] if (why := oracle.broken_chain(ledger.events(key[0]), head)) else []
    return [f"invariant 5: {why}" for why in found]


def lift(world: World) -> None:
    """No more faults: keys as they were, clocks right."""
    world.keys.mend()
    world.skew.update(dict.fromkeys(world.skew, timedelta()))


def interval(world: World) -> None:
    """One reconcile interval of healthy schedules, and the stream."""
    world.run_revocations()
    world.run_reconcile()
    world.deliver()
    world.run_expiry(60)
    world.advance(200)
    world.run_expiry(60)


def settle(world: World) -> list[str]:
    """Lift the faults, let the schedules run to the end of every grant and request; what does not hold."""
    lift(world)
    for _ in range(3):
        interval(world)
    ledger = world.ledger
    found = [*at_once(ledger), *overdue(ledger), *unaccounted(ledger), *stolen(ledger), *told(ledger)]
    found += [*unrevoked(ledger), *undone(ledger)]
    for _ in range(60):
        if not world.dues() and not world.zombies:
            break
        _to_next(world)
    world.advance(400)
    for _ in range(2):
        interval(world)
    return [
        *found,
        *at_once(world.ledger),
        *left(world.ledger),
        *chains(world.ledger),
        *untold(world),
        *misdirected(world),
    ]


def _to_next(world: World) -> None:
    now = world.now.timestamp()
    coming = [*world.dues(), *(at.timestamp() for at, _ in world.zombies)]
    world.advance(max(0.0, min(coming) - now))
    world.run_expiry(20)
    world.deliver()


def overdue(ledger: Ledger) -> list[str]:
    """Grants that outlived their time although the schedules run."""
    limit = ledger.world.now - timedelta(seconds=5)
    late = [grant["Name"] for grant in _established(ledger) if expiry_of(grant["Name"]) < limit]
    return [
        f"invariant 6: {name} lives on, overdue: {_brief(ledger.record(request_of(name)))}" for name in late
    ]


def stolen(ledger: Ledger) -> list[str]:
    """Grants that whoever had taken `requests` over made, and that live on although reconcile has run."""
    # Beside the id of a deleted role a grant without a name of ours may be anybody's.
    live = {grant["GrantId"] for grant in (ledger.own() if ledger.remade else ledger.live())}
    return [
        f"nobody approved {one}, named {name}, and it lives"
        for one, name in ledger.stolen.items()
        if one in live
    ]


def told(ledger: Ledger) -> list[str]:
    """Records that were made of a stranger's grants."""
    honest = [name for name in ledger.world.requests() if f"request#{name}" not in ledger.forged]
    records = map(ledger.record, honest)
    found = [record for record in records if record["key_arn"] == ledger.world.intruders.key]
    return [f"a stranger's grant has a record: {_brief(record)}" for record in found]


def unaccounted(ledger: Ledger) -> list[str]:
    """Live grants that no record on the agenda will end in time."""
    found = []
    for grant in _established(ledger):
        if ledger.is_forged(grant["Name"]):
            continue
        record = ledger.record(request_of(grant["Name"]))
        ends = record.get("due", float("inf")) <= expiry_of(grant["Name"]).timestamp() + 1
        if record.get("grant_id") != grant["GrantId"] or not ends:
            found.append(f"invariant 6: nothing will end {grant['Name']}: {_brief(record)}")
    return found


def unrevoked(ledger: Ledger) -> list[str]:
    """Live grants that a revocation was to end, or that a block forbade, although all schedules have run."""
    now, found = ledger.world.now, []
    for grant in _established(ledger):
        for since, until in ledger.standings(grant["KeyId"], grant["GranteePrincipal"]):
            made = datetime.fromtimestamp(grant["CreationDate"], UTC)
            if made < until - CLOCKS and now - since > timedelta(minutes=10):
                found.append(f"revoked, and it lives: {_brief(ledger.record(request_of(grant['Name'])))}")
    return found


def undone(ledger: Ledger) -> list[str]:
    """Mass revocations whose jobs are not done, unless their table was restored."""
    table = ledger.world.database.tables[ledger.world.deployment.approval_table].items
    jobs = [plain(item) for key, item in table.items() if key[1] == "revocation"]
    return [f"the job of {job['id']} is at {job['stage']}" for job in jobs if job["stage"] != "done"]


def _established(ledger: Ledger) -> list[dict[str, Any]]:
    """Live grants but those made late, and shown for less than the six minutes in which they must end.

    Neither those of which neither record nor retiring principal is left: keys are listed twice an hour.
    """
    if ledger.remade and ledger.disturbed:
        return []
    now = ledger.world.now.timestamp() - ledger.world.cloud.kms.propagation.of_grants.total_seconds()
    return [
        grant for grant in ledger.own()
        if request_of(grant["Name"]) not in ledger.doubled or now - grant["CreationDate"] > 360
    ]  # fmt: skip


def left(ledger: Ledger) -> list[str]:
    """What is left although every time is over."""
    found = [f"invariant 3: {grant['Name']} lives after everything ended" for grant in ledger.own()]
    for key, item in ledger.world.database.tables[ledger.world.deployment.request_table].items.items():
        record = plain(item)
        if key[1] != "request" or key[0] in ledger.forged:
            continue
        # Told for ever as an end that fails: a person must see whose it was.
        if ledger.remade and record.get("grant_id") in ledger.stolen:
            continue
        if record["status"] not in oracle.FINAL or "due" in record:
            found.append(f"invariant 3: left unfinished: {_brief(record)}")
    return found


def untold(world: World) -> list[str]:
    """Events that EventBridge never took, or that lack in the mails, though the stream had them."""
    kept = {
        record["dynamodb"]["NewImage"]["id"]["S"]
        for record in world.streams.kept
        if "NewImage" in record["dynamodb"]
    }
    done = {json.loads(event)["id"] for event in world.bus.events} | kept
    written = [
        r["dynamodb"]["NewImage"]
        for r in world.database.stream
        if "event#" in r["dynamodb"]["Keys"]["sk"]["S"]
        and r["dynamodb"]["Keys"]["pk"]["S"] not in world.ledger.forged
    ]
    mailed = kept | {name for body in world.bus.mails for name in _EVENT_IN_A_MAIL.findall(body)}
    lost = [item for item in written if item["id"]["S"] not in done]
    silent = [
        item
        for item in written
        if item["type"]["S"] in _ALWAYS_MAILED
        and item["id"]["S"] not in mailed
        # One of many: the revocation that took it back is told.
        and not (item["type"]["S"] == "revoked" and "revocation" in item["detail"]["M"])
    ]
    return [
        *(f"invariant 5: event {item['type']} of {item['pk']} never reached EventBridge" for item in lost),
        *(f"event {item['type']} of {item['pk']} is in no mail" for item in silent),
    ]


def misdirected(world: World) -> list[str]:
    """Events on the bus of another account than their request's."""
    table = world.database.tables[world.deployment.request_table].items
    found = []
    for bus, text in world.bus.partners:
        event = json.loads(text)
        subject = f"request#{event['request_id']}"
        record = plain(table.get((subject, "request"))) if subject not in world.ledger.forged else {}
        # Of a grant whose grantee is gone reconcile knows no account, where its record was lost.
        known = record.get("account") not in {None, "unknown"}
        owner = record["account"] if known else event["account"]
        if {find_account(bus), event["account"]} != {owner}:
            found.append(f"invariant 7: {event['type']} of {owner}'s {subject} is on {bus}")
    return found


def _brief(record: dict[str, Any]) -> dict[str, Any]:
    shown = ("id", "status", "action", "due", "attempts", "grant_id", "expires_at", "version", "end_reason")
    return {name: record[name] for name in shown if name in record}
