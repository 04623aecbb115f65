"""Each key's own listing: what the listing by retiring principal cannot show, and what others made."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.aws.key_places import list_key_places
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.ownership import AllowedGrant
from grant_broker.domain.passes import KeyPlace
from grant_broker.domain.trail import Head, verify
from tests.support.records import CREATED, EXPIRES, GRANTEE, KEY, NOW, Scene, grant, key, request, votes

DELETED = "AROADELETEDEXPIRYROLE"
_TOLD = f"reconcile#{KEY}"


def by_others(grant_id: str = "o1", **changes: Any) -> ListedGrant:
    """A grant that somebody of the home account made on the key, for themselves to retire."""
    return grant(**{"grant_id": grant_id, "retiring_principal": GRANTEE, "name": "theirs", **changes})


def _told(scene: Scene) -> list[dict[str, Any]]:
    return [event.detail for event in scene.events(_TOLD)]


def test_retired_by_a_deleted_role(scene: Scene) -> None:
    """A grant beside whose name KMS shows a deleted role's id is judged, and in order where it is covered."""
    scene.put(request(), votes(request()))
    assert scene.run(grant(retiring_principal=DELETED)).drift == 0
    assert (scene.request().status, scene.request().missing_since) == (Status.ACTIVE, None)
    stray = grant(grant_id="g2", retiring_principal=DELETED, name=grant_name("f" * 32, EXPIRES))
    assert scene.run(grant(retiring_principal=DELETED), stray).drift == 1
    assert scene.request("f" * 32).status == Status.ENDING


def test_judged_once(scene: Scene) -> None:
    """What both listings show is judged once: its drift counts once."""
    assert scene.run(grant()).drift == 1


def test_by_others(scene: Scene) -> None:
    """Grants of others on a registered key are told in one event, with why they are left alone."""
    allowed = {"key": KEY, "grantee": GRANTEE, "operations": ["Decrypt"]}
    scene.allowed = (AllowedGrant.model_validate(allowed),)
    service = by_others("o3", grantee="rds.amazonaws.com", retiring_principal=None)
    spared = grant(grant_id="o2", name="backup", operations=("Decrypt",))
    old = grant(grant_id="o4", name="old", created_at=CREATED - timedelta(days=2))
    report = scene.run(by_others(), spared, service, old)
    assert (report.drift, report.complete) == (0, True)
    [detail] = _told(scene)
    assert (detail["key"], detail["grants"], detail["services"]) == (KEY, 3, 1)
    assert {one["grant_id"]: one["because"] for one in detail["shown"]} == {
        "o1": "somebody else made it",
        "o2": "the operator's list allows it",
        "o4": "it was made before the key was registered",
    }
    assert {one["grant_id"]: one["operations"] for one in detail["shown"]}["o2"] == ["Decrypt"]
    assert all(scene.store.find_request(each.derived_id) is None for each in (by_others(), spared, old))


def test_told_when_they_change(scene: Scene) -> None:
    """They are told again when one is added, goes or is replaced; services' come and go unheard."""
    service = by_others("s", grantee="rds.amazonaws.com")
    for found in (
        [by_others()],
        [by_others()],
        [service, by_others()],
        [by_others("o2"), by_others()],
        [by_others(), by_others("o2")],
        [by_others("o3"), by_others()],
        [],
        [service],
    ):
        scene.run(*found)
    assert [detail["grants"] for detail in _told(scene)] == [1, 2, 2, 0]
    place = list_key_places(scene.store.tables)[0]
    assert verify(_TOLD, scene.events(_TOLD), Head(place.events, place.last_hash)) is None


def test_many_of_others(scene: Scene) -> None:
    """However many there are, the event names twenty of them."""
    scene.run(*(by_others(f"o{number}") for number in range(250)))
    [detail] = _told(scene)
    assert (detail["grants"], len(detail["shown"])) == (250, 20)


def _keys(count: int) -> list[str]:
    return [f"{KEY}{number:02d}" for number in range(count)]


def _listed(scene: Scene) -> set[str]:
    """The keys whose listing came to its end in the run of this moment."""
    return {place.key_arn for place in list_key_places(scene.store.tables) if place.finished_at == scene.now}


def test_in_turn(scene: Scene) -> None:
    """A sixth of the keys in each run, the longest unlisted first, closed ones too: all in half an hour."""
    scene.put(*(key(key_arn=arn) for arn in _keys(23)))
    scene.put(key(key_arn=f"{KEY}-closed").model_copy(update={"withdrawn_at": NOW}))
    scene.run()
    assert len(_listed(scene)) == 25
    listed = []
    for _ in range(6):
        scene.now += timedelta(minutes=5)
        scene.run()
        listed.append(_listed(scene))
    assert [len(part) for part in listed[:5]] == [5, 5, 5, 5, 5]
    assert len(set.union(*listed)) == 25


def test_after_missed_runs(scene: Scene) -> None:
    """Whatever was not listed for half an hour is, however many keys that are."""
    scene.put(*(key(key_arn=arn) for arn in _keys(23)))
    scene.run()
    scene.now += timedelta(minutes=30)
    scene.run()
    assert len(_listed(scene)) == 24


def _answer(scene: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def list_grants_page(_key_arn: str, *, marker: str | None = None) -> Any:
        del marker
        raise error

    monkeypatch.setattr(scene.kms, "list_grants_page", list_grants_page)


def test_a_key_that_is_not_listed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where KMS refuses, that is measured; the run goes on, and no record is taken for gone."""
    scene.put(request(), votes(request()))
    _answer(scene, monkeypatch, KmsRefused("AccessDeniedException", "no"))
    assert scene.run(grant()).complete
    assert scene.metrics["KeysNotListed"] == 1
    assert scene.request() == request()
    assert [place.finished_at for place in list_key_places(scene.store.tables)] == [NOW]


def test_a_closed_key_that_is_not_listed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose key was closed may take the broker out of its policy, and nobody is alarmed."""
    scene.put(key().model_copy(update={"withdrawn_at": NOW}))
    _answer(scene, monkeypatch, KmsRefused("AccessDeniedException", "no"))
    assert scene.run().complete
    assert scene.metrics["KeysNotListed"] == 0


def test_a_key_that_is_gone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key all its grants are gone: that is told, and no alarm."""
    scene.run(by_others())
    _answer(scene, monkeypatch, GrantNotFound("no such key"))
    assert scene.run().complete
    assert scene.metrics["KeysNotListed"] == 0
    assert [detail["grants"] for detail in _told(scene)] == [1, 0]


def test_no_answer(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where KMS does not answer the run fails, once all else is done and measured; the next one repeats."""
    scene.put(request(), votes(request()))
    with monkeypatch.context() as patched:
        _answer(scene, patched, KmsUncertain("ThrottlingException", "slow down"))
        with pytest.raises(KmsUncertain):
            scene.run(grant(operations=("Decrypt",)))
    assert scene.request().status == Status.ENDING
    assert (scene.metrics["DriftFound"], scene.metrics["LiveGrants"]) == (1, 1)
    assert "Heartbeat" not in scene.metrics
    assert list_key_places(scene.store.tables) == [KeyPlace(key_arn=KEY)]
