"""A repeated submission is the same one, whatever has become of it meanwhile."""

import json

from grant_broker.domain.lifecycle import Status
from tests.support.faults import lost, refused
from tests.support.scene import InProcessStack


def test_the_same_key_and_body(scene: InProcessStack) -> None:
    """One request: the same status and Location, with the request as it is now."""
    first = scene.submit(once="k")
    again = scene.submit(once="k")
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Location"] == first.headers["Location"]
    scene.decide(first.body["id"])
    assert scene.submit(once="k").body["status"] == "approved"
    assert scene.call("partner", "DELETE", f"/requests/{first.body['id']}").status == 200
    last = scene.submit(once="k")
    assert (last.status, last.body["id"], last.body["status"]) == (201, first.body["id"], "withdrawn")


def test_another_body(scene: InProcessStack) -> None:
    """409, and the first request stays as it is; a body that differs in its bytes is another body."""
    request_id = scene.submit(once="k").body["id"]
    for other in (scene.submission(reason="other"), json.dumps(scene.submission(), indent=1)):
        answer = scene.call("partner", "POST", "/requests", other, once="k")
        assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert scene.request(request_id).reason == "nightly load"


def test_whose_key_it_is(scene: InProcessStack) -> None:
    """All sessions of a role share their keys; another role of the account has its own."""
    first = scene.submit(once="k").body["id"]
    role, cloud = scene.grantee("partner"), scene.deployment.cloud
    assert scene.submit(cloud.session_for(role, "another-session"), once="k").body["id"] == first
    assert scene.submit("partner_colleague", once="k").body["id"] != first


def test_a_refused_body_leaves_the_key_free(scene: InProcessStack) -> None:
    """Nothing of a refused call is kept: the corrected one may use its key."""
    assert scene.submit(once="k", duration="PT9H").status == 400
    assert scene.stored() == []
    assert scene.submit(once="k").status == 201


def test_limits_that_changed_since(scene: InProcessStack) -> None:
    """What was accepted once is not judged again by a repeat."""
    first = scene.submit(once="k")
    scene.limit(max_duration="PT1H")
    assert scene.submit(once="k").body == first.body
    assert scene.submit(once="other").status == 400


def test_an_immediate_grant_is_made_once(scene: InProcessStack) -> None:
    """A repeat shows the same grant, with its token, to the requester's person."""
    scene.approve_ahead()
    first, again = scene.submit(once="k"), scene.submit(once="k")
    assert first.status == again.status == 201
    assert first.body["grant"] == again.body["grant"]
    assert len(scene.grants()) == 1


def test_a_repeat_does_not_take_up_what_people_approved(scene: InProcessStack) -> None:
    """Only what was covered at once is issued at once: the time-box starts when its owner says so."""
    request_id = scene.submit(once="k").body["id"]
    scene.decide(request_id)
    assert scene.submit(once="k").body["status"] == "approved"
    assert scene.grants() == []


def test_a_lost_answer_of_kms_is_resumed_by_the_repeat(scene: InProcessStack) -> None:
    """503 with Retry-After and Location while nobody knows; the same call then brings the grant."""
    scene.approve_ahead()
    with scene.faults({"CreateGrant": lost}):
        first = scene.submit(once="k")
    assert (first.status, first.body["code"], first.headers["Retry-After"]) == (503, "unavailable", "5")
    request_id = first.headers["Location"].removeprefix("/live/requests/")
    assert scene.status(request_id) == Status.ISSUING
    scene.clock.sleep(4)
    again = scene.submit(once="k")
    assert (again.status, again.body["id"], again.body["status"]) == (201, request_id, "active")
    assert [grant["GrantId"] for grant in scene.grants()] == [again.body["grant"]["grant_id"]]


def test_a_refusal_of_kms_is_repeated(scene: InProcessStack) -> None:
    """409 with KMS's reason, and 409 again: the request has failed, a new key is a new attempt."""
    scene.approve_ahead()
    with scene.faults({"CreateGrant": refused("LimitExceededException")}):
        first = scene.submit(once="k")
    assert (first.status, "LimitExceededException" in first.body["detail"]) == (409, True)
    again = scene.submit(once="k")
    assert (again.status, again.body["detail"]) == (
        409,
        "the request is failed: KMS refused: LimitExceededException",
    )
    assert scene.submit(once="new").body["status"] == "active"


def test_the_same_call_twice_at_the_same_time(scene: InProcessStack) -> None:
    """One stores, the other finds: both are answered with the one request."""
    with scene.meanwhile("TransactWriteItems", lambda: scene.submit(once="k")) as others:
        mine = scene.submit(once="k")
    [other] = others
    assert (mine.status, other.status) == (201, 201)
    assert mine.body == other.body
    assert len({item["pk"]["S"] for item in scene.stored()}) == 1


def test_two_bodies_under_one_key_at_the_same_time(scene: InProcessStack) -> None:
    """One is stored, the other is told that the key is used."""
    with scene.meanwhile("TransactWriteItems", lambda: scene.submit(once="k", reason="other")) as others:
        mine = scene.submit(once="k")
    assert [answer.status for answer in others] == [201]
    assert mine.status == 409


def test_a_lost_record_whose_trail_stayed(scene: InProcessStack) -> None:
    """Nothing is stored over the trail of a lost request: 409, and reconcile alone may take it up again."""
    request_id = scene.submit(once="k").body["id"]
    scene.lose(request_id)
    before = scene.stored()
    answer = scene.submit(once="k")
    assert (answer.status, answer.body["code"], scene.stored()) == (409, "conflict", before)
