"""A dry run says what submitting would lead to, and leaves nothing behind."""

from typing import Any

import pytest

from tests.support.scene import InProcessStack


@pytest.fixture
def scene(unregistered: InProcessStack) -> InProcessStack:
    """The founding scenario; its key is not registered yet."""
    return unregistered


def tried(scene: InProcessStack, **changes: Any) -> Any:
    """The answer to a dry run."""
    answer = scene.call(
        "partner", "POST", "/requests", scene.submission(**changes), query={"dry_run": "true"}
    )
    assert answer.status == 200, answer.body
    return answer.body


def approve_ahead(scene: InProcessStack, **changes: Any) -> str:
    """Make a standing approval for the founding request; its id."""
    approval = {
        "key": "partner_data", "account": "444455556666", "operations": ["Encrypt"],
        "encryption_context": {"tenant": "a"}, "max_duration": "PT4H",
        "valid_until": "2030-02-01T00:00:00Z", "reason": "nightly load", **changes,
    }  # fmt: skip
    made = scene.call("alice", "POST", "/security/approvals", approval)
    assert made.status == 201
    return str(made.body["id"])


def stored(scene: InProcessStack) -> int:
    """How many requests there are."""
    return len(scene.call("partner", "GET", "/requests").body["items"])


def test_without_an_approval_it_would_wait(scene: InProcessStack) -> None:
    """What no standing approval covers would wait for as many persons as the key's quorum."""
    scene.limit()
    reason = "no standing approval covers it: one person must approve"
    assert tried(scene) == {"outcome": "wait_for_approval", "reasons": [reason]}
    scene.limit(quorum=2)
    assert tried(scene)["reasons"] == ["no standing approval covers it: 2 persons must approve"]
    assert stored(scene) == 0


def test_covered_it_would_be_granted(scene: InProcessStack) -> None:
    """What a standing approval covers would be granted at once, or from its start on; no grant is made."""
    scene.limit()
    approval = approve_ahead(scene)
    assert tried(scene) == {"outcome": "grant", "reasons": [f"standing approval {approval} covers it"]}
    later = tried(scene, starts_at="2030-01-02T00:00:00Z")
    assert later["reasons"][1] == "it may be taken up from 2030-01-02T00:00:00Z on"
    assert (stored(scene), scene.cloud.grants(scene.key_arn)) == (0, [])
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
    scene: InProcessStack, changes: dict[str, Any], reasons: list[str]
) -> None:
    """Limits and a key that is not open refuse, with every fault."""
    scene.limit()
    assert tried(scene, **changes) == {"outcome": "refuse", "reasons": reasons}


def test_a_closed_key_would_refuse(scene: InProcessStack) -> None:
    """A key closed to new grants refuses like one that was never open."""
    scene.limit()
    scene.security("DELETE", "")
    assert tried(scene)["outcome"] == "refuse"


def test_what_cannot_be_read_is_refused_for_good(scene: InProcessStack) -> None:
    """A malformed body, or anything but true and false, is 400; `false` submits."""
    scene.limit()
    body = scene.submission(duration="two hours")
    assert scene.call("partner", "POST", "/requests", body, query={"dry_run": "true"}).status == 400
    assert (
        scene.call("partner", "POST", "/requests", scene.submission(), query={"dry_run": "yes"}).status == 400
    )
    assert (
        scene.call("partner", "POST", "/requests", scene.submission(), query={"dry_run": "false"}).status
        == 201
    )
    assert (
        scene.call("outsider", "POST", "/requests", scene.submission(), query={"dry_run": "true"}).status
        == 403
    )
