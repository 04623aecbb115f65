"""Every attack over signed HTTP and what comes of it; the table is printed at the end."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.attacks import people, takeovers, wire
from tests.end_to_end.attacks.scene import Attack, Scene, told
from tests.end_to_end.conftest import Running, started
from tests.support.reports import Report

ALL = [*people.ATTACKS, *wire.ATTACKS, *takeovers.ATTACKS]
_NOBODY = "0123456789abcdef" * 2
# Route: who gets past the door. Whoever does is told what is wrong with the call itself.
_THIRD_PARTIES = {"partner", "partner_colleague", "other_partner", *(
    "alice", "bob", "alice_in_review", "duty", "duty_again", "impostor", "key_admin")}  # fmt: skip
_DECIDERS = {"alice", "bob", "alice_in_review", "duty", "duty_again"}
_ROUTES = {
    ("POST", "/requests"): (_THIRD_PARTIES, "400 invalid_request"),
    ("GET", "/requests"): (_THIRD_PARTIES, "200"),
    ("GET", f"/requests/{_NOBODY}"): (_THIRD_PARTIES, "404 not_found"),
    ("DELETE", f"/requests/{_NOBODY}"): (_THIRD_PARTIES, "404 not_found"),
    ("POST", f"/requests/{_NOBODY}/grant"): (_THIRD_PARTIES, "404 not_found"),
    ("DELETE", f"/requests/{_NOBODY}/grant"): (_THIRD_PARTIES, "404 not_found"),
    ("GET", "/keys"): (_THIRD_PARTIES, "200"),
    ("GET", "/security/requests"): (_DECIDERS, "200"),
    ("GET", f"/security/requests/{_NOBODY}"): (_DECIDERS, "404 not_found"),
    ("POST", f"/security/requests/{_NOBODY}/decision"): (_DECIDERS, "400 invalid_request"),
    ("DELETE", f"/security/requests/{_NOBODY}/grant"): (_DECIDERS, "400 invalid_request"),
    ("GET", "/security/approvals"): (_DECIDERS, "200"),
    ("POST", "/security/approvals"): (_DECIDERS, "400 invalid_request"),
    ("GET", f"/security/approvals/{_NOBODY}"): (_DECIDERS, "404 not_found"),
    ("DELETE", f"/security/approvals/{_NOBODY}"): (_DECIDERS, "404 not_found"),
    ("POST", f"/security/approvals/{_NOBODY}/decision"): (_DECIDERS, "400 invalid_request"),
    ("GET", "/security/keys"): (_DECIDERS, "200"),
    ("GET", "/security/keys/none"): (_DECIDERS, "404 not_found"),
    ("PUT", "/security/keys/none"): (_DECIDERS, "400 invalid_request"),
    ("DELETE", "/security/keys/none"): (_DECIDERS, "404 not_found"),
    ("GET", "/security/events"): (_DECIDERS, "200"),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A stack whose reconcile interval is short: what it must find is waited for."""
    with started(tmp_path_factory.mktemp("attacked"), "--schedule-seconds", "5") as (ready, _):
        yield Running(ready)


@pytest.fixture(scope="module")
def scene(stack: Running) -> Scene:
    """One scene for all attacks: none of them may change what the next one finds."""
    return Scene(stack)


@pytest.fixture(scope="module", autouse=True)
def table(report: Report) -> Iterator[dict[str, str]]:
    """What came of each attack, shown at the end."""
    outcomes: dict[str, str] = {}
    yield outcomes
    width = max(map(len, outcomes), default=0)
    lines = [f"{name:<{width}}  {outcome}" for name, outcome in outcomes.items()]
    report.append((f"{len(outcomes)} attacks and their outcomes", lines))


@pytest.mark.parametrize("attack", ALL, ids=[attack.name for attack in ALL])
def test_attack(scene: Scene, table: dict[str, str], attack: Attack) -> None:
    """The attack comes to exactly what is foreseen."""
    table[attack.name] = attack.run(scene)
    assert table[attack.name] == attack.outcome


@pytest.mark.parametrize(("method", "path"), _ROUTES, ids=[" ".join(route) for route in _ROUTES])
def test_every_person_on_every_route(stack: Running, method: str, path: str) -> None:
    """Whoever may not call a route gets nothing but 403; whoever may is told about the call."""
    allowed, outcome = _ROUTES[method, path]
    body = {} if method in {"POST", "PUT"} or path.endswith("/grant") else None
    people_ = [*stack.ready["people"], *(f"functions.{name}" for name in stack.ready["functions"])]
    found = {person: told(stack.call(person, method, path, body)) for person in people_}
    assert found == {person: outcome if person in allowed else "403 not_permitted" for person in people_}


def test_distinct() -> None:
    """No attack is counted twice, and there are more than sixty."""
    names = [attack.name for attack in ALL]
    assert len(set(names)) == len(names) > 60
