"""The security team is mailed when a key is opened further, and before that, when somebody proposes it."""

import pytest

from grant_broker.domain.notices import Notice, notice_of
from tests.support.scene import InProcessStack

PROPOSED, WIDENED = "wider limits of a key were proposed", "a key's limits were widened"


def _mailed(scene: InProcessStack) -> list[Notice]:
    events = scene.brokers.broker("approvals").store.get_trail(f"key#{scene.key_arn}")
    return [notice for notice in map(notice_of, events) if notice]


def _titles(scene: InProcessStack) -> list[str]:
    return [notice.title for notice in _mailed(scene)]


def test_proposed_and_applied(scene: InProcessStack) -> None:
    """Who proposes what is mailed with the first vote, and again when it holds."""
    assert scene.limit(max_duration="PT1H", quorum=2).status == 200
    assert scene.limit(max_duration="PT9H", quorum=2).status == 202
    proposed = _mailed(scene)[-1]
    assert proposed.title == PROPOSED
    assert '"proposed": {"max_continuous": null, "max_duration": "PT9H"}' in proposed.text
    assert '"widened": ["max_duration", "max_continuous"]' in proposed.text
    assert f'By: "{scene.credentials("alice").arn}"' in proposed.text
    assert scene.limit("bob", max_duration="PT9H", quorum=2).status == 200
    assert _titles(scene)[-2:] == [PROPOSED, WIDENED]


@pytest.mark.parametrize("quorum", [1, 2])
def test_a_narrower_document(scene: InProcessStack, quorum: int) -> None:
    """It is mailed as a change once it holds, and not before."""
    assert scene.limit(quorum=quorum).status == 200
    before = len(_titles(scene))
    assert scene.limit(max_duration="PT1H", quorum=quorum).status == (200 if quorum == 1 else 202)
    assert _titles(scene)[before:] == ["a key's limits"][: 2 - quorum]


def test_a_closed_key_that_is_opened(scene: InProcessStack) -> None:
    """The same document as before opens it, so that is wider, and so is proposing it."""
    assert scene.limit(quorum=2).status == 200
    assert scene.security("DELETE", "").status == 204
    assert scene.limit(quorum=2).status == 202
    assert scene.limit("bob", quorum=2).status == 201
    assert _titles(scene)[-2:] == [PROPOSED, WIDENED]
