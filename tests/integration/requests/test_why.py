"""`POST /requests/{id}/why`: for the account whose request it is, about nothing but it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.domain.arns import account_of
from tests.local_stack.brokers import Answer
from tests.support.faults import refused
from tests.support.scene import InProcessStack

QUESTION = {"action": "Encrypt", "context": {"tenant": "a"}}


def ask(scene: InProcessStack, request_id: str, who: str = "partner", **question: Any) -> Answer:
    """One question."""
    return scene.call(who, "POST", f"/requests/{request_id}/why", QUESTION | question)


def verdict(scene: InProcessStack, request_id: str, **question: Any) -> str:
    """What is answered."""
    answer = ask(scene, request_id, **question)
    assert answer.status == 200, answer.body
    assert set(answer.body) == {"verdict", "because", "next"}
    return str(answer.body["verdict"])


def encrypt(scene: InProcessStack, **changes: Any) -> str:
    """The error with which the partner's Encrypt ends."""
    client = scene.cloud.session(scene.credentials("partner")).client("kms")
    with pytest.raises(ClientError) as found:
        client.encrypt(
            **{"KeyId": scene.key_arn, "Plaintext": b"x", "EncryptionContext": {"tenant": "a"}, **changes}
        )
    return str(found.value)


def test_life(scene: InProcessStack) -> None:
    """From the submission to the end, each state is its own answer."""
    request_id = scene.pending()
    assert verdict(scene, request_id, error=encrypt(scene)) == "no_grant"
    scene.decide(request_id)
    assert verdict(scene, request_id) == "no_grant"
    scene.take_up(request_id)
    assert verdict(scene, request_id) == "allowed"
    wrong = {"tenant": "A"}
    error = encrypt(scene, EncryptionContext=wrong)
    assert verdict(scene, request_id, context=wrong, error=error) == "context_differs"
    large = encrypt(scene, Plaintext=b"x" * 5_000)
    assert verdict(scene, request_id, error=large) == "too_large"
    scene.later(7_200)
    assert verdict(scene, request_id, error=encrypt(scene)) == "ended"


def test_a_key_that_nobody_can_use(scene: InProcessStack) -> None:
    """A disabled key is told, of a call of now alone, though the function may not describe keys."""
    request_id = scene.active()
    scene.clock.advance(minutes=20)
    scene.kms.disable_key(KeyId=scene.key_arn)
    assert verdict(scene, request_id) == verdict(scene, request_id, error=encrypt(scene)) == "key_unusable"
    assert verdict(scene, request_id, at="2030-01-01T12:01:00Z") == "allowed"


@pytest.mark.parametrize("error", ["AccessDeniedException", "ThrottlingException"])
def test_a_key_whose_state_is_not_known(scene: InProcessStack, error: str) -> None:
    """Where KMS does not tell the key's state the grant alone is explained."""
    request_id = scene.active()
    with scene.faults({"CreateGrant": [refused(error)]}):
        assert verdict(scene, request_id) == "allowed"


def test_parties_alone(scene: InProcessStack) -> None:
    """Requester and grantee are answered; a colleague hears who may ask, others not that it exists."""
    request_id = scene.submit("partner_colleague", grantee=scene.grantee("partner")).body["id"]
    assert account_of(scene.grantee("partner_colleague")) == account_of(scene.grantee("partner"))
    assert [ask(scene, request_id, who).status for who in ("partner", "partner_colleague")] == [200, 200]
    refused_ask = ask(scene, scene.active(), "partner_colleague")
    assert (refused_ask.status, "requester and the grantee" in refused_ask.body["detail"]) == (403, True)
    theirs, nobodys = ask(scene, request_id, "other_partner"), ask(scene, "0" * 32, "other_partner")
    assert theirs.status == nobodys.status == 404
    assert theirs.body == nobodys.body


def test_others_grants_are_not_told(scene: InProcessStack) -> None:
    """What another account holds on the key changes nothing in an answer."""
    request_id = scene.active()
    stranger = scene.grantee("other_partner")
    before = ask(scene, request_id, principal=stranger).body
    scene.kms.create_grant(
        KeyId=scene.key_arn,
        GranteePrincipal=stranger,
        Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": {"tenant": "a"}},
    )
    assert ask(scene, request_id, principal=stranger).body == before
    assert before["verdict"] == "another_principal"


def test_questions_count(scene: InProcessStack) -> None:
    """They count towards what an account may send in a minute, since they may ask KMS."""
    request_id = scene.active()
    most = scene.brokers.broker("requests").settings.submissions_per_minute
    answers = [ask(scene, request_id).status for _ in range(most)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_what_is_no_question(scene: InProcessStack) -> None:
    """A malformed question is 400 and names the field."""
    answer = ask(scene, scene.active(), principal="somebody")
    assert (answer.status, [fault["field"] for fault in answer.body["errors"]]) == (400, ["principal"])
