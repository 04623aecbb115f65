"""A dry run says what submitting would lead to, and leaves nothing behind."""

from typing import Any

import pytest

from tests.support.unregistered import Scene


@pytest.fixture
def scene(unregistered: Scene) -> Scene:
    """The founding scenario; its key is not registered yet."""
    return unregistered


def tried(scene: Scene, **changes: Any) -> Any:
    """The answer to a dry run."""
    answer = scene.call("partner", "POST", "/requests", scene.submission(**changes), dry_run="true")
    assert answer.status == 200, answer.body
    return answer.body


def approve_ahead(scene: Scene, **changes: Any) -> str:
    """Make a standing approval for the founding request; its id."""
    approval = {
        "key": "partner_data", "account": "444455556666", "operations": ["Encrypt"],
        "encryption_context": {"tenant": "a"}, "max_duration": "PT4H",
        "valid_until": "2030-02-01T00:00:00Z", "reason": "nightly load", **changes,
    }  # fmt: skip
    made = scene.call("alice", "POST", "/security/approvals", approval)
    assert made.status == 201
    return str(made.body["id"])


def stored(scene: Scene) -> int:
    """How many requests there are."""
    return len(scene.call("partner", "GET", "/requests").body["items"])


def test_without_an_approval_it_would_wait(scene: Scene) -> None:
    """What no standing approval covers would wait for as many persons as the key's quorum."""
    scene.register()
    reason = "no standing approval covers it: one person must approve"
    assert tried(scene) == {"outcome": "wait_for_approval", "reasons": [reason]}
    scene.register(quorum=2)
    assert tried(scene)["reasons"] == ["no standing approval covers it: 2 persons must approve"]
    assert stored(scene) == 0


def test_covered_it_would_be_granted(scene: Scene) -> None:
    """What a standing approval covers would be granted at once, or from its start on; no grant is made."""
    scene.register()
    approval = approve_ahead(scene)
    assert tried(scene) == {"outcome": "grant", "reasons": [f"standing approval {approval} covers it"]}
    later = tried(scene, starts_at="2030-01-02T00:00:00Z")
    assert later["reasons"][1] == "it may be taken up from 2030-01-02T00:00:00Z on"
    assert (stored(scene), scene.cloud.grants(scene.key)) == (0, [])
    assert scene.submit().body["status"] == "active"


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"key": "nobody_s"}, ["key: not registered, or not open to your account"]),
        ({"duration": "PT9H"}, ["duration: at most PT8H on this key"]),
        (
            {"operations": ["Decrypt"], "grantee": "arn:aws:iam::111122223333:role/x"},
            ["operations: not offered on this key: Decrypt", "grantee: name a principal of your own account"],
        ),
    ],
)
def test_outside_the_limits_it_would_be_refused(
    scene: Scene, changes: dict[str, Any], reasons: list[str]
) -> None:
    """Limits and a key that is not open refuse, with every fault."""
    scene.register()
    assert tried(scene, **changes) == {"outcome": "refuse", "reasons": reasons}


def test_a_closed_key_would_refuse(scene: Scene) -> None:
    """A key closed to new grants refuses like one that was never open."""
    scene.register()
    scene.security("DELETE", "")
    assert tried(scene)["outcome"] == "refuse"


def test_what_cannot_be_read_is_refused_for_good(scene: Scene) -> None:
    """A malformed body, or anything but true and false, is 400; `false` submits."""
    scene.register()
    body = scene.submission(duration="two hours")
    assert scene.call("partner", "POST", "/requests", body, dry_run="true").status == 400
    assert scene.call("partner", "POST", "/requests", scene.submission(), dry_run="yes").status == 400
    assert scene.call("partner", "POST", "/requests", scene.submission(), dry_run="false").status == 201
    assert scene.call("outsider", "POST", "/requests", scene.submission(), dry_run="true").status == 403


def test_without_room_it_would_be_refused(scene_of: Any) -> None:
    """An account that holds as many open requests as it may would be refused; calls count, too."""
    scene = scene_of(OpenPerAccount="1", SubmissionsPerMinute="3")
    scene.register()
    assert scene.submit().status == 201
    assert tried(scene)["outcome"] == "refuse"
    tried(scene)
    again = scene.call("partner", "POST", "/requests", scene.submission(), dry_run="true")
    assert (again.status, again.body["code"]) == (429, "too_many_requests")
