"""Somebody without a trusted account names `expiry`'s role on keys of their own, as anybody on AWS can."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from tests.end_to_end.attacks.target import Attack, Run, Target

_MANY = 120
_DEADLINE = 60  # seconds for a reconcile run, whose interval is shortened here
_PAST = 1_700_000_000


@contextmanager
def _flood(target: Target, form: str) -> Iterator[set[str]]:
    """Their grants on a key of their own, to the partner's role; gives the ids."""
    kms = target.stack.aws("outsider", "kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    given = {
        "KeyId": arn, "GranteePrincipal": target.stack.grantee("partner"), "Operations": ["Encrypt"],
        "RetiringPrincipal": target.role("expiry"),
        "Constraints": {"EncryptionContextEquals": {"dataset": "orders"}},
    }  # fmt: skip
    names = [form.format(number) for number in range(_MANY)]
    made = {kms.create_grant(**given, **({"Name": name} if name else {}))["GrantId"] for name in names}
    _until_counted(target)
    yield made
    listed: set[str] = set()
    for page in kms.get_paginator("list_grants").paginate(KeyId=arn):
        listed |= {grant["GrantId"] for grant in page["Grants"]}
    assert made <= listed
    for grant_id in made:
        kms.revoke_grant(KeyId=arn, GrantId=grant_id)


def _events(target: Target, kind: str) -> list[dict[str, Any]]:
    found = target.stack.call("alice", "GET", "/security/events", query={"type": kind, "order": "newest"})
    assert found.status == 200, found.body
    return list(found.body["items"])


def _until_counted(target: Target) -> None:
    deadline = time.monotonic() + _DEADLINE
    while True:
        told = _events(target, "grants_elsewhere")
        if told and told[0]["detail"]["grants"] >= _MANY:
            return
        assert time.monotonic() < deadline, "reconcile never counted them"
        time.sleep(0.2)


def _named(form: str) -> Run:
    """Whether any of their grants has a record in anybody's list, or an event of its own."""

    def run(target: Target) -> str:
        with _flood(target, form) as made:
            # By the id in its name, or by the one that is made of its own id.
            ids = {f"{number:032x}" for number in range(_MANY)}
            ids |= {hashlib.sha256(grant_id.encode()).hexdigest()[:32] for grant_id in made}
            if ids & _listed(target):
                return "in a list"
            told = {event["detail"]["grant_id"] for event in _events(target, "adopted")}
            return "told one by one" if told & made else "counted"

    return run


def _listed(target: Target) -> set[str]:
    """The ids of the requests that the partner sees, and that the security team sees."""
    asked = (("partner", "/requests"), ("alice", "/security/requests"))
    found = [target.stack.call(who, "GET", path, query={"limit": "100"}) for who, path in asked]
    return {item["id"] for answer in found for item in answer.body["items"]}


def _end_beside_them(target: Target) -> str:
    """A grant of the broker's that ends while theirs are listed."""
    with _flood(target, f"grant-broker/{{:032x}}/{_PAST}"):
        request = target.stack.granted(encryption_context={"dataset": "beside"}, duration="PT3S")
        ended = target.stack.until("expired", request)
    late = datetime.fromisoformat(ended["ended_at"]) - datetime.fromisoformat(ended["expires_at"])
    return "on time" if late.total_seconds() < 1 else f"{late.total_seconds()} s late"


ATTACKS = [
    Attack("an outsider names grants on own keys like the broker's, long over", "counted",
           _named(f"grant-broker/{{:032x}}/{_PAST}")),
    Attack("an outsider names grants on own keys like the broker's, for ever", "counted",
           _named("grant-broker/{:032x}/9999999999")),
    Attack("an outsider names grants on own keys in no form", "counted", _named("grant-broker/{}")),
    Attack("an outsider names grants on own keys backup", "counted", _named("backup-{}")),
    Attack("an outsider leaves grants on own keys without a name", "counted", _named("")),
    Attack("a real end beside an outsider's grants", "on time", _end_beside_them),
]  # fmt: skip
