"""A function is taken over and writes what others decide by: counters, places, votes, limits, uses."""

import time
from datetime import datetime, timedelta

from tests.end_to_end.attacks.target import Attack, Run, Target, tried

_DENIED = "AccessDeniedException"
KEY_ITEM = "key#arn:aws:kms:eu-central-1:111122223333:key/0d0e"


def put(function: str, table: str, partition: str, sort: str = "x") -> Run:
    """Write an item, with one call and in a transaction: the two outcomes, told once where they are alike."""

    def run(target: Target) -> str:
        client = target.stack.aws(f"functions.{function}", "dynamodb")
        put = {"TableName": target.stack.tables[table], "Item": {"pk": {"S": partition}, "sk": {"S": sort}}}
        alone = tried(client.put_item, **put)
        within = tried(client.transact_write_items, TransactItems=[{"Put": put}])
        return alone if alone == within else f"{alone}, {within} in a transaction"

    return run


def _delete_block(function: str) -> Run:
    """Take a block's item away; what is lifted stays there, as evidence."""

    def run(target: Target) -> str:
        client = target.stack.aws(f"functions.{function}", "dynamodb")
        key = {"pk": {"S": "block#*#*#*"}, "sk": {"S": "block"}}
        return tried(client.delete_item, TableName=target.stack.tables["approvals"], Key=key)

    return run


def _lease_for_ever(function: str) -> Run:
    """Be another run that ends grants, by the lease itself."""

    def run(target: Target) -> str:
        client = target.stack.aws(f"functions.{function}", "dynamodb")
        return tried(
            client.update_item,
            TableName=target.stack.tables["requests"],
            Key={"pk": {"S": "rate#lease"}, "sk": {"S": "lease"}},
            UpdateExpression="SET since_x = :since, until_x = :until",
            ExpressionAttributeValues={":since": {"N": "0"}, ":until": {"N": str(int(time.time()) + 5)}},
        )

    return run


def _fill_ahead(function: str) -> Run:
    """Take all ends of the next seconds by the counter itself."""

    def run(target: Target) -> str:
        client, second = target.stack.aws(f"functions.{function}", "dynamodb"), int(time.time())
        outcomes = {
            tried(
                client.update_item,
                TableName=target.stack.tables["requests"],
                Key={"pk": {"S": f"rate#retire#{ahead}"}, "sk": {"S": "limit"}},
                UpdateExpression="ADD turns :many",
                ExpressionAttributeValues={":many": {"N": "1000000"}},
            )
            for ahead in range(second, second + 3)
        }
        return " ".join(sorted(outcomes))

    return run


def _end_after_all_of_it(target: Target) -> str:
    """Try every way to the rate from every role that is not its owner's, and see a grant end meanwhile."""
    granted = target.stack.granted(encryption_context={"dataset": "rate"}, duration="PT3S")
    for name in _OTHERS:
        for partition in ("rate#lease", f"rate#retire#{int(time.time()) + 2}"):
            assert put(name, "requests", partition, "lease")(target) == _DENIED
        assert _fill_ahead(name)(target) == _DENIED
    ended = target.stack.until("expired", granted)
    late = datetime.fromisoformat(ended["ended_at"]) - datetime.fromisoformat(ended["expires_at"])
    return "on time" if late < timedelta(seconds=1) else f"{late} late"


_OTHERS = ("requests", "approvals", "reconcile", "events")
ATTACKS = [
    *(
        Attack(f"{name} fills the counters of the end rate ahead", _DENIED, _fill_ahead(name))
        for name in _OTHERS
    ),
    *(
        Attack(f"{name} puts a counter of the end rate", _DENIED, put(name, "requests", "rate#retire#1"))
        for name in _OTHERS
    ),
    *(
        Attack(f"{name} writes a block away", _DENIED, put(name, "approvals", "block#*#*#*", "block"))
        for name in ("requests", "expiry", "reconcile", "events")
    ),
    *(
        Attack(f"{name} calls a revocation's job done", _DENIED, put(name, "approvals", "revocations"))
        for name in ("requests", "expiry", "reconcile", "events")
    ),
    *(
        Attack(f"{name} deletes a block", _DENIED, _delete_block(name))
        for name in ("requests", "expiry", "reconcile", "events", "approvals")
    ),
    *(
        Attack(f"{name} takes the lease of the ends", _DENIED, put(name, "requests", "rate#lease"))
        for name in _OTHERS
    ),
    *(
        Attack(f"{name} changes the lease of the ends in place", _DENIED, _lease_for_ever(name))
        for name in _OTHERS
    ),
    Attack("an end, whatever the others write to the rate", "on time", _end_after_all_of_it),
    *(
        Attack(f"{name} moves reconcile on", _DENIED, put(name, "requests", "reconcile#place"))
        for name in ("requests", "approvals", "expiry", "events")
    ),
    *(
        Attack(
            f"{name} uses up an account's calls", _DENIED, put(name, "requests", "limit#444455556666#99999")
        )
        for name in ("approvals", "expiry", "reconcile")
    ),
    *(
        Attack(f"{name} says that a key passed expiry's check", _DENIED,
               put(name, "requests", f"check#expiry#{KEY_ITEM}"))
        for name in ("requests", "reconcile")
    ),
    *(
        Attack(f"{name} marks a request as used", _DENIED, put(name, "approvals", f"used#{'0' * 32}"))
        for name in ("requests", "approvals", "reconcile")
    ),
    Attack("expiry casts a vote", _DENIED, put("expiry", "approvals", f"request#{'0' * 32}", "approval")),
    Attack("expiry approves ahead", _DENIED,
           put("expiry", "approvals", f"approval#{'0' * 32}", "approval")),
    Attack("expiry lowers a quorum", _DENIED, put("expiry", "approvals", KEY_ITEM, "key")),
    Attack("expiry lifts a block", _DENIED, put("expiry", "approvals", "block#all")),
    # What it may, so that the refusals above are the fence's and not the table's.
    Attack("expiry marks a request as used, as it does with each that it ends", "done",
           put("expiry", "approvals", f"used#{'0' * 32}")),
]  # fmt: skip
