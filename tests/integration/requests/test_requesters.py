"""A key may name who may ask: to everybody else of its accounts it is as if there were no such key."""

from tests.support.scene import InProcessStack


def _reserve(scene: InProcessStack) -> None:
    """Let the partner's application alone ask; its role is named with a path that STS leaves out."""
    role = scene.grantee("partner").replace(":role/", ":role/team/")
    assert scene.limit(requesters=[role]).status == 200


def test_who_may_ask(scene: InProcessStack) -> None:
    """The named role's sessions; others are told what they would be of a key that nobody registered."""
    _reserve(scene)
    assert scene.submit().status == 201
    closed = scene.submit("partner_colleague", grantee=scene.grantee("partner_colleague"))
    unknown = scene.submit("partner_colleague", key="nobody_s")
    assert (closed.status, closed.body["errors"]) == (400, unknown.body["errors"])
    assert [each["field"] for each in closed.body["errors"]] == ["key"]


def test_a_dry_run_tells_no_more(scene: InProcessStack) -> None:
    """It refuses in the same words as for no such key."""
    _reserve(scene)
    path, query = "/requests", {"dry_run": "true"}
    said = [
        scene.call("partner_colleague", "POST", path, scene.submission(key=key), query=query).body
        for key in ("partner_data", "nobody_s")
    ]
    assert said[0] == said[1]


def test_what_may_be_asked_for(scene: InProcessStack) -> None:
    """GET /keys shows a key to those who may ask for it, and to nobody else of the account."""
    _reserve(scene)
    shown = {
        who: [each["name"] for each in scene.call(who, "GET", "/keys").body["items"]]
        for who in ("partner", "partner_colleague", "other_partner")
    }
    assert shown == {"partner": ["partner_data"], "partner_colleague": [], "other_partner": []}


def test_narrowed_before_the_take_up(scene: InProcessStack) -> None:
    """An approved request of somebody who may not ask any more gets no grant; a live grant runs on."""
    live = scene.active()
    asked = scene.submit("partner_colleague", grantee=scene.grantee("partner")).body["id"]
    assert scene.decide(asked).body["status"] == "approved"
    _reserve(scene)
    answer = scene.take_up(asked)
    assert (answer.status, "not open to its requester" in answer.body["detail"]) == (409, True)
    assert scene.status(live) == "active"


def test_of_no_account_of_the_key(scene: InProcessStack) -> None:
    """400: whoever is of none of the key's accounts could never ask."""
    answer = scene.limit(requesters=[scene.grantee("outsider")])
    assert (answer.status, [each["field"] for each in answer.body["errors"]]) == (400, ["requesters"])
