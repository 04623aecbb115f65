"""What falls due: how late it would come, and whether live grants stand behind it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.place import EndsPlace
from grant_broker.reconcile.run import reconcile
from tests.support.records import EXPIRES, KEY, NOW, Scene, grant, request, votes

MANY = 11
"""More entries than may lie there without a grant, where one grant ends a second."""


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """One grant ends a second."""
    scene.end_rate = 1
    return scene


def live(scene: Scene, count: int) -> list[ListedGrant]:
    """So many grants in order, with their records on the agenda."""
    found = []
    for number in range(count):
        record = request(id=f"{number:032x}", grant_id=f"g{number}")
        scene.put(record, votes(record))
        found.append(grant(grant_id=f"g{number}", name=grant_name(record.id, EXPIRES)))
    return found


def forge(scene: Scene, count: int, **attributes: Any) -> None:
    """So many entries of the agenda that no grant stands behind."""
    for number in range(count):
        item = {
            "pk": {"S": f"request#f{number}"}, "sk": {"S": "request"}, "agenda": {"S": "ends#0"},
            "due": {"N": str(int(EXPIRES.timestamp()))}, "grant_id": {"S": f"f{number}"}, **attributes,
        }  # fmt: skip
        scene.client.put_item(TableName="requests", Item=item)


def believed(scene: Scene) -> bool:
    """What reconcile said last."""
    return scene.store.places.get(EndsPlace()).is_believed(scene.now)


def test_the_debt(scene: Scene) -> None:
    """Told in seconds: what is overdue or due ahead, at the configured rate."""
    grants = live(scene, 1)
    scene.run(*grants)
    assert scene.metrics["DebtSeconds"] == 0
    forge(scene, 2)
    scene.run(*grants)
    assert scene.metrics["DebtSeconds"] == 2


def test_an_idle_stack_measures_nothing(scene: Scene) -> None:
    """Without an end on the agenda there is no metric of it, and nothing is written."""
    scene.run()
    assert {"DebtSeconds", "EndsNotBacked", "GrantsOnFullestKey"}.isdisjoint(scene.metrics)
    assert not scene.client.get_item(
        TableName="requests", Key={"pk": {"S": "reconcile#ends"}, "sk": {"S": "reconcile"}}
    ).get("Item")


def test_live_grants_are_believed(scene: Scene) -> None:
    """However many there are, as long as KMS lists them."""
    scene.run(*live(scene, MANY))
    assert believed(scene)
    assert "EndsNotBacked" not in scene.metrics


@pytest.mark.parametrize("attributes", [{}, {"grant_id": {"S": "g0"}}], ids=["none", "a live grant's id"])
def test_forged_entries_are_not(scene: Scene, attributes: Any) -> None:
    """Many entries without a grant, or with another's, void the count until a while after they are gone."""
    grants = live(scene, 1)
    forge(scene, MANY, **attributes)
    scene.run(*grants)
    assert not believed(scene)
    assert scene.metrics["EndsNotBacked"] == MANY
    for number in range(MANY):
        key = {"pk": {"S": f"request#f{number}"}, "sk": {"S": "request"}}
        scene.client.delete_item(TableName="requests", Key=key)
    scene.run(*grants)
    assert not believed(scene)
    scene.now += timedelta(minutes=15)
    assert believed(scene)


def test_what_was_ended_meanwhile_is_no_forgery(scene: Scene) -> None:
    """Grants that were revoked while the run listed KMS have left the agenda when it looks again."""
    grants = live(scene, MANY)
    listing = scene.kms.list_retirable_page

    def revoked(principal: str, region: str, *, marker: str | None = None) -> Any:
        for number in range(MANY):
            scene.put(request(id=f"{number:032x}", grant_id=f"g{number}", due=int(NOW.timestamp())))
        scene.kms.grants = []
        return listing(principal, region, marker=marker)

    scene.kms.list_retirable_page = revoked  # type: ignore[method-assign]
    scene.run(*grants)
    assert believed(scene)


def test_what_kms_learns_of_late_is_no_forgery(scene: Scene) -> None:
    """Grants of the last minutes may not be listed yet; what says so of itself is believed no longer."""
    for number in range(MANY):
        scene.put(request(id=f"{number:032x}", grant_id=f"g{number}", issued_at=NOW - timedelta(minutes=1)))
    scene.run()
    assert believed(scene)
    scene.now += timedelta(minutes=5)
    for number in range(MANY):
        scene.put(request(id=f"{number:032x}", grant_id=f"g{number}", issued_at=NOW - timedelta(minutes=1)))
    scene.run()
    assert not believed(scene)


def test_what_was_not_all_listed_says_nothing(scene: Scene) -> None:
    """A run that did not see all grants leaves what was said before."""
    forge(scene, MANY)
    scene.kms.size = 1
    scene.kms.grants = live(scene, 3)
    left = iter([240.0, 240.0, 240.0])
    reconcile(scene.broker, lambda: next(left, 30.0))
    assert believed(scene)
    assert "EndsNotBacked" not in scene.metrics


def test_a_key_that_nears_its_quota(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The grants of the fullest key are told as one metric, whoever made them, and the log names the key."""
    grants = [grant(grant_id=f"x{number}", retiring_principal=None) for number in range(5)]
    scene.run(*grants)
    assert scene.metrics["GrantsOnFullestKey"] == 5
    assert "nears" not in caplog.text


def test_the_log_names_it(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 80 % of KMS's quota on the log says which key it is, also where several runs listed it."""
    monkeypatch.setattr("grant_broker.reconcile.judging.MANY_GRANTS", 5)
    scene.kms.size = 2
    scene.kms.grants = [grant(grant_id=f"x{number}", retiring_principal=None) for number in range(5)]
    left: Callable[[], float] = iter([240.0] * 4 + [0.0] * 9).__next__
    reconcile(scene.broker, left)
    assert "nears" not in caplog.text
    reconcile(scene.broker, lambda: 240.0)
    assert [record.key for record in caplog.records if "nears" in record.message] == [KEY]  # type: ignore[attr-defined]
