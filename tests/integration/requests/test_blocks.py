"""What the security team has blocked: no submission, no take-up and no intent gets past it."""

from datetime import timedelta

import pytest

from grant_broker.domain.blocks import Block, Selectors, Standing
from grant_broker.domain.lifecycle import Status
from tests.local_aws.cloud import AwsCall
from tests.support.scene import InProcessStack

REFUSED = "the security team has blocked new grants"


def _of(scene: InProcessStack, *names: str, who: str = "partner") -> Selectors:
    """Some of the selectors of what `submit` asks for."""
    about = Selectors.about(
        key_arn=scene.key_arn, account=scene.credentials(who).account, grantee=scene.grantee(who)
    )
    return Selectors(**{name: getattr(about, name) for name in names})


def _block(scene: InProcessStack, selectors: Selectors, seconds: int | None = None) -> Block:
    until = scene.clock.now + timedelta(seconds=seconds) if seconds else None
    standing = Standing(revocation="r1", since=scene.clock.now, until=until)
    change = Block(selectors=selectors).stood_on(standing)
    scene.brokers.broker("approvals").store.commit(change)
    return change.record


COMBINATIONS = [
    (),
    ("key_arn",),
    ("account",),
    ("key_arn", "account"),
    ("grantee",),
    ("key_arn", "grantee"),
    ("account", "grantee"),
    ("key_arn", "account", "grantee"),
]


@pytest.mark.parametrize("names", COMBINATIONS)
def test_every_combination_of_selectors(scene: InProcessStack, names: tuple[str, ...]) -> None:
    """Submitting, also what would be covered, and taking up are 403; a dry run says refuse."""
    waiting = scene.approved()
    scene.approve_ahead()
    _block(scene, _of(scene, *names))
    refused = scene.submit()
    assert (refused.status, refused.body["code"]) == (403, "not_permitted")
    assert refused.body["detail"].startswith(REFUSED)
    assert scene.submit(encryption_context={"tenant": "b"}).status == 403
    assert scene.take_up(waiting).body["detail"].startswith(REFUSED)
    forecast = scene.call("partner", "POST", "/requests", scene.submission(), query={"dry_run": "true"})
    assert (forecast.status, forecast.body["outcome"]) == (200, "refuse")
    assert forecast.body["reasons"][0].startswith(REFUSED)
    assert scene.grants() == []
    assert len(scene.stored()) == len([waiting]) + len(scene.trail(waiting))


@pytest.mark.parametrize("names", [("account",), ("grantee",), ("key_arn", "account")])
def test_others_are_left_alone(scene: InProcessStack, names: tuple[str, ...]) -> None:
    """A block of one account or grantee stops nobody else on the same key."""
    _block(scene, _of(scene, *names))
    theirs = scene.submit("other_partner", grantee=scene.grantee("other_partner"))
    assert theirs.status == 201


def test_another_grantee_of_the_account(scene: InProcessStack) -> None:
    """A block of a grantee leaves the account's other roles alone."""
    _block(scene, _of(scene, "grantee"))
    assert scene.submit(grantee=scene.grantee("partner_colleague")).status == 201


def test_a_malformed_submission_hears_of_that_first(scene: InProcessStack) -> None:
    """What is outside the key's limits stays 400, and a key that is not open to the account too."""
    _block(scene, Selectors())
    assert scene.submit(duration="P2D").status == 400
    assert scene.submit(key="unknown").status == 400


def test_until_its_time(scene: InProcessStack) -> None:
    """A block for some seconds ends by itself."""
    waiting = scene.approved()
    _block(scene, Selectors(), seconds=60)
    scene.clock.sleep(59)
    assert scene.take_up(waiting).status == 403
    scene.clock.sleep(1)
    assert scene.take_up(waiting).status == 201


def test_lifted(scene: InProcessStack) -> None:
    """What was lifted stops nobody, though its item stays."""
    waiting = scene.approved()
    block = _block(scene, Selectors())
    scene.brokers.broker("approvals").store.commit(block.lifted("r1", scene.clock.now))
    assert scene.take_up(waiting).status == 201
    assert scene.submit().status == 201


def test_blocked_between_the_reads_and_the_intent(scene: InProcessStack) -> None:
    """A covered submission whose transaction comes second is refused, and stores nothing."""
    scene.approve_ahead()
    with scene.meanwhile("TransactWriteItems", lambda: _block(scene, _of(scene, "account"))):
        refused = scene.submit(once="k")
    assert (refused.status, refused.body["code"]) == (403, "not_permitted")
    assert (scene.grants(), scene.stored()) == ([], [])


def test_blocked_while_it_is_taken_up(scene: InProcessStack) -> None:
    """A take-up whose transaction comes second is refused; the request stays approved."""
    waiting = scene.approved()
    with scene.meanwhile("TransactWriteItems", lambda: _block(scene, _of(scene, "key_arn"))):
        assert scene.take_up(waiting).status == 403
    assert scene.status(waiting) == Status.APPROVED
    assert scene.grants() == []


def test_what_each_intent_is_checked_against(scene: InProcessStack) -> None:
    """The transaction of an intent names every block that could match, as a check and not as a read."""
    waiting = scene.approved()
    checked: list[str] = []

    def see(call: AwsCall) -> bool:
        given = [item.get("ConditionCheck") for item in call.parameters["TransactItems"]]
        checked.extend(each["Key"]["pk"]["S"] for each in given if each)
        return False

    with scene.faults({"TransactWriteItems": [None]}, when=see):
        assert scene.take_up(waiting).status == 201
    wanted = [Block(selectors=each).subject for each in _of(scene, "key_arn", "account", "grantee").wider]
    assert [name for name in checked if name.startswith("block#")] == wanted
