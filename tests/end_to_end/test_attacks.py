"""Every attack over signed HTTP and what comes of it; the table is printed at the end."""

import re
from collections.abc import Iterator

import pytest

from tests.end_to_end.attacks import evidence, outsiders, partitions, people, takeovers, uses, wire
from tests.end_to_end.attacks.target import Attack, Target, told
from tests.end_to_end.conftest import Running, started
from tests.support import contract
from tests.support.reports import Report

ALL = [
    *people.ATTACKS,
    *wire.ATTACKS,
    *takeovers.ATTACKS,
    *evidence.ATTACKS,
    *outsiders.ATTACKS,
    *partitions.ATTACKS,
    *uses.ATTACKS,
]
_NOBODY = "0123456789abcdef" * 2
_THIRD_PARTIES = {"partner", "partner_colleague", "other_partner", *(
    "alice", "bob", "carol", "alice_in_review", "duty", "duty_again", "impostor", "key_admin")}  # fmt: skip
_DECIDERS = {"alice", "bob", "carol", "alice_in_review", "duty", "duty_again"}
# What whoever gets past the door is told, by the operation: what is wrong with the call itself.
_OUTCOMES = {
    "post_request": "400 invalid_request",
    "get_requests": "200",
    "get_request": "404 not_found",
    "delete_request": "404 not_found",
    "post_grant": "404 not_found",
    "delete_grant": "404 not_found",
    "post_extension": "400 invalid_request",
    "post_break_glass": "400 invalid_request",
    "post_why": "400 invalid_request",
    "get_keys": "200",
    "get_openapi": "200",
    "get_seen_requests": "200",
    "get_seen_request": "404 not_found",
    "post_decision": "400 invalid_request",
    "revoke_grant": "400 invalid_request",
    "post_revocation": "400 invalid_request",
    "post_seen_why": "400 invalid_request",
    "get_approvals": "200",
    "post_approval": "400 invalid_request",
    "get_approval": "404 not_found",
    "delete_approval": "404 not_found",
    "post_approval_decision": "400 invalid_request",
    "get_managed_keys": "200",
    "get_managed_key": "404 not_found",
    "put_managed_key": "400 invalid_request",
    "patch_managed_key": "404 not_found",
    "get_proposals": "404 not_found",
    "delete_managed_key": "404 not_found",
    "get_access": "404 not_found",
    "get_check": "404 not_found",
    "post_check": "404 not_found",
    "get_key_policy": "404 not_found",
    "get_events": "200",
    "get_debt": "200",
    "get_reviews": "200",
    "post_review": "400 invalid_request",
    "get_accounts": "200",
    "get_account": "404 not_found",
    "put_account": "404 not_found",
    "delete_account": "404 not_found",
    "post_mass_revocation": "400 invalid_request",
    "get_mass_revocations": "200",
    "get_mass_revocation": "404 not_found",
    "delete_mass_revocation": "404 not_found",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A stack whose reconcile interval is short: what it must find is waited for."""
    with started(tmp_path_factory.mktemp("attacked"), "--schedule-seconds", "5") as (ready, _):
        yield Running(ready)


@pytest.fixture(scope="module")
def target(stack: Running) -> Target:
    """One for all attacks: none of them may change what the next one finds."""
    return Target(stack)


@pytest.fixture(scope="module", autouse=True)
def table(report: Report) -> Iterator[dict[str, str]]:
    """What came of each attack, shown at the end."""
    outcomes: dict[str, str] = {}
    yield outcomes
    width = max(map(len, outcomes), default=0)
    lines = [f"{name:<{width}}  {outcome}" for name, outcome in outcomes.items()]
    report.append((f"{len(outcomes)} attacks and their outcomes", lines))


@pytest.mark.parametrize("attack", ALL, ids=[attack.name for attack in ALL])
def test_attack(target: Target, table: dict[str, str], attack: Attack) -> None:
    """The attack comes to exactly what its row says."""
    table[attack.name] = attack.run(target)
    assert table[attack.name] == attack.outcome


@pytest.mark.parametrize("operation", contract.operations(), ids=str)
def test_every_person_on_every_route(stack: Running, operation: contract.Operation) -> None:
    """Whoever may not call a route gets nothing but 403; whoever may is told about the call."""
    path = re.sub(r"\{\w+\}", lambda name: "none" if name[0] == "{key_id}" else _NOBODY, operation.path)
    allowed = _DECIDERS if path.startswith("/security") else _THIRD_PARTIES
    body: dict[str, str] | None = {} if operation.takes_body else None
    people_ = [*stack.ready["people"], *(f"functions.{name}" for name in stack.ready["functions"])]
    found = {person: told(stack.call(person, operation.method, path, body)) for person in people_}
    outcome = _OUTCOMES[operation.name]
    assert found == {person: outcome if person in allowed else "403 not_permitted" for person in people_}


def test_distinct() -> None:
    """No attack is counted twice, and there are more than 140."""
    names = [attack.name for attack in ALL]
    assert len(set(names)) == len(names) > 140
