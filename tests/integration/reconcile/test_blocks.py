"""A live grant that a block forbids has no cover, whatever its record and its votes say."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.blocks import Block, Selectors, Standing
from grant_broker.domain.lifecycle import Action, Status
from tests.support.records import ACCOUNT, CREATED, GRANTEE, KEY, NOW, Scene, agenda, grant, request, votes

ABOUT = Selectors.about(key_arn=KEY, account=ACCOUNT, grantee=GRANTEE)


def _blocked(since: timedelta, selectors: Selectors = ABOUT, **more: Any) -> Block:
    """A block that came to stand so long after the grant was made."""
    return (
        Block(selectors=selectors).stood_on(Standing(revocation="r1", since=CREATED + since, **more)).record
    )


@pytest.mark.parametrize("selectors", ABOUT.wider)
def test_made_while_a_block_stood(scene: Scene, selectors: Selectors) -> None:
    """A grant made after a matching block, past all clock skew, ends now, with an alarm."""
    scene.put(request(), votes(request()), _blocked(-timedelta(seconds=11), selectors))
    assert scene.run(grant()).drift == 1
    ended = scene.request()
    assert (ended.status, ended.end_as) == (Status.ENDING, Status.REVOKED)
    assert ended.end_reason == "it was made while revocation r1 blocked it"


def test_lifted_since(scene: Scene) -> None:
    """That the block was lifted later does not cover what was made past it."""
    lifted = CREATED + timedelta(minutes=1)
    scene.put(request(), votes(request()), _blocked(-timedelta(minutes=1), lifted_at=lifted))
    assert scene.run(grant()).drift == 1


@pytest.mark.parametrize(
    "block",
    [
        _blocked(-timedelta(hours=1), lifted_at=CREATED),
        _blocked(-timedelta(hours=1), until=CREATED - timedelta(minutes=1)),
        _blocked(-timedelta(hours=1), Selectors(account="666677778888")),
        _blocked(-timedelta(hours=1), Selectors(key_arn=f"{KEY}0", account=ACCOUNT)),
    ],
)
def test_what_a_block_does_not_forbid(scene: Scene, block: Block) -> None:
    """One that was over by then, or about something else, forbids nothing."""
    scene.put(request(), votes(request()), block)
    assert scene.run(grant()).drift == 0
    assert scene.request().status == Status.ACTIVE


def test_made_after_a_block_that_stood_for_seconds(scene: Scene) -> None:
    """What was granted once the block was lifted again is left alone, however soon after the revocation."""
    block = _blocked(-timedelta(seconds=5), lifted_at=CREATED - timedelta(seconds=3))
    scene.put(request(), votes(request()), block)
    assert scene.run(grant()).drift == 0
    assert scene.request().status == Status.ACTIVE


def test_there_already_when_it_was_revoked(scene: Scene) -> None:
    """What lives on minutes after a revocation that came later ends by somebody's word: no drift."""
    scene.put(request(), votes(request()), _blocked(timedelta(minutes=20)))
    assert scene.run(grant()).drift == 0
    assert scene.request().end_reason == "revocation r1 was to end it"
    assert scene.request().status == Status.ENDING


def test_the_revocations_own_job_comes_first(scene: Scene) -> None:
    """For five minutes nothing is done here about what the job is about to end."""
    scene.put(request(), votes(request()), _blocked(timedelta(minutes=26)))
    scene.run(grant())
    assert scene.request().status == Status.ACTIVE


def test_while_they_end(scene: Scene) -> None:
    """However long the job takes, what it has put on the agenda is no drift."""
    ending = request(status=Status.ENDING, **agenda(Action.END, NOW))
    scene.put(ending, votes(request()), _blocked(timedelta(minutes=20)))
    assert scene.run(grant()).drift == 0


@pytest.mark.parametrize("since", [-timedelta(minutes=20), timedelta(minutes=20)])
def test_a_revocation_hides_nothing(scene: Scene, since: timedelta) -> None:
    """What had no cover, or was made past a block, is drift for as long as it lives, revoked or not."""
    ending = request(status=Status.ENDING, **agenda(Action.END, NOW))
    evidence = [votes(request())] if since < timedelta() else []
    scene.put(ending, *evidence, _blocked(since))
    assert scene.run(grant()).drift == 1


def test_a_block_that_cannot_be_read(scene: Scene) -> None:
    """It hides no other block."""
    scene.put(request(), votes(request()), _blocked(-timedelta(minutes=1)))
    unread = {"pk": {"S": "block#x"}, "sk": {"S": "block"}, "kind": {"S": "block"}, "listed_at": {"S": "0"}}
    scene.client.put_item(TableName="approvals", Item=unread)
    assert scene.run(grant()).drift == 1
