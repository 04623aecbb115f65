"""The console's pages of standing approvals and of changes of limits that wait for votes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from grant_broker.client.security_team import SecurityTeam
from grant_broker.domain.times import format_time
from tests.end_to_end.conftest import Running
from tests.end_to_end.console_browser import Console, open_console, plain
from tests.support.limits import limits

pytestmark = pytest.mark.usefixtures("local_aws")
HOME, THEIRS = "111122223333", "444455556666"
REASON = "<script>alert(1)</script> nights"
CONTEXT = {"dataset": "console-votes"}
COVERED = {
    "key": "partner_data",
    "operations": ["Encrypt"],
    "encryption_context": CONTEXT,
    "duration": "PT1H",
    "reason": "nightly upload",
}


@pytest.fixture(scope="module")
def alice(stack: Running) -> Console:
    """The console of one of the security team."""
    return open_console(stack, "alice")


@pytest.fixture(scope="module")
def bob(stack: Running) -> Console:
    """The console of a second person of it."""
    return open_console(stack, "bob")


@pytest.fixture(scope="module")
def two_votes(stack: Running) -> Iterator[str]:
    """The id of a key of the home account that needs two votes; closed in the end."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    key_id = str(admin.create_key(Policy=policy)["KeyMetadata"]["KeyId"])
    document = limits(name="console_votes", accounts=[HOME], quorum=2)
    assert stack.call("alice", "PUT", f"/security/keys/{key_id}", document).status == 201
    yield key_id
    stack.call("alice", "DELETE", f"/security/keys/{key_id}")


def approval(stack: Running, key: str = "partner_data", **changes: Any) -> dict[str, Any]:
    """A standing approval by alice, for the partner with a context of these tests."""
    body = {
        "key": key,
        "account": THEIRS,
        "grantee": stack.grantee("partner"),
        "operations": ["Encrypt"],
        "encryption_context": CONTEXT,
        "max_duration": "PT2H",
        "valid_until": format_time(datetime.now(UTC) + timedelta(days=30)),
        "reason": REASON,
        **changes,
    }
    made = stack.call("alice", "POST", "/security/approvals", body)
    assert made.status == 201, made.body
    return dict(made.body)


def test_withdrawn_with_what_it_covered(stack: Running, alice: Console) -> None:
    """It is listed and shown in words; withdrawn by whom it was for, typed, and with it what it covered."""
    nights = {"days": ["mon", "tue"], "from": "00:00", "to": "00:00", "time_zone": "UTC"}
    every = {**nights, "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
    made = approval(stack, windows=[nights, every])
    path = f"/approvals/{made['id']}"
    listed = alice.get("/approvals/")
    assert (f'href="{path}"' in listed.text, "<script>alert" in listed.text) == (True, False)
    words = plain(listed)
    assert "Encrypt for at most 2 h on partner_data" in words
    assert "mon-tue 00:00-00:00 UTC; mon-sun 00:00-00:00 UTC" in words
    held = stack.call("partner", "POST", "/requests", COVERED | {"grantee": made["grantee"]}).body
    assert (held["status"], held["approval"]) == ("active", made["id"])
    withdrawal = f"{path}/withdrawal"
    wrong = alice.post(withdrawal, confirmation="partner", revoke_active="yes")
    assert (wrong.status_code, "type partner-application to confirm" in plain(wrong)) == (400, True)
    assert 'value="yes" checked' in wrong.text
    assert "active" in alice.words(path)
    done = alice.post(withdrawal, confirmation="partner-application", revoke_active="yes")
    assert (done.status_code, done.headers["Location"]) == (303, path)
    stack.until("revoked", held)
    after = alice.get(path)
    assert ("withdrawn" in plain(after), "Withdraw</button>" in after.text) == (True, False)


def test_for_anybody_of_an_account(stack: Running, alice: Console) -> None:
    """Without a grantee the account is what is typed; what lives goes on where nothing else was ticked."""
    made = approval(stack, grantee=None)
    assert "anybody" in alice.words("/approvals/")
    held = stack.call("partner", "POST", "/requests", COVERED | {"grantee": stack.grantee("partner")}).body
    path = f"/approvals/{made['id']}"
    assert "any of the account" in alice.words(path)
    assert alice.post(f"{path}/withdrawal", confirmation=THEIRS).status_code == 303
    assert stack.call("partner", "GET", f"/requests/{held['id']}").body["status"] == "active"
    stack.call("partner", "DELETE", f"/requests/{held['id']}/grant")


def test_a_second_vote(stack: Running, alice: Console, bob: Console, two_votes: str) -> None:
    """One that waits is decided by somebody else; its maker is told that there was a vote already."""
    home = {"account": HOME, "grantee": stack.grantee("data_reader")}
    waiting = approval(stack, "console_votes", **home)
    path = f"/approvals/{waiting['id']}"
    assert "pending" in alice.words("/approvals/")
    again = alice.post(f"{path}/decision", verdict="approve")
    assert (again.status_code, "Not done." in again.text) == (400, True)
    assert bob.post(f"{path}/decision", verdict="maybe").status_code == 400
    assert "without asking anybody" in bob.words(path)
    voted = bob.post(f"{path}/decision", verdict="approve", comment="agreed")
    assert (voted.status_code, voted.headers["Location"]) == (303, path)
    words = bob.words(path)
    assert ("active" in words, "agreed" in words, "Decide" in words) == (True, True, False)
    denied = approval(stack, "console_votes", **home)["id"]
    silent = bob.post(f"/approvals/{denied}/decision", verdict="deny", comment="")
    assert (silent.status_code, "<code>comment</code>" in silent.text) == (400, True)
    assert bob.post(f"/approvals/{denied}/decision", verdict="deny", comment="no").status_code == 303
    assert bob.post(f"{path}/withdrawal", confirmation=home["grantee"].rpartition("/")[2]).status_code == 303
    assert two_votes


def test_who_may_not_decide_on_an_approval(stack: Running, alice: Console) -> None:
    """Whom the key's list leaves out is told so in place of the form."""
    made = approval(stack)
    others = {**made, "status": "pending", "may_decide": False}
    with (
        mock.patch.object(SecurityTeam, "get_approval", return_value=others),
        mock.patch.object(SecurityTeam, "list_approvals", return_value=iter([others])),
        mock.patch("grant_broker.client.console.approval_pages.MOST", 1),
    ):
        assert "Others decide on this approval" in alice.words(f"/approvals/{made['id']}")
        listed = alice.words("/approvals/")
    assert ("others decide" in listed, "The newest 1." in listed) == (True, True)
    with mock.patch.object(SecurityTeam, "list_approvals", return_value=iter(())):
        assert "Nothing is approved ahead." in alice.words("/approvals/")
    stack.call("alice", "DELETE", f"/security/approvals/{made['id']}")


def test_a_vote_for_exactly_this(stack: Running, alice: Console, bob: Console, two_votes: str) -> None:
    """What would change is shown field by field, and the second vote for it makes it hold."""
    path = f"/security/keys/{two_votes}"
    assert "No change of a key's limits waits for votes." in bob.words("/proposals/").replace("&#39;", "'")
    assert (
        stack.call("alice", "PATCH", path, {"max_duration": "PT9H", "accounts": [HOME, THEIRS]}).status == 202
    )
    page = bob.get("/proposals/")
    words = plain(page)
    assert "console_votes: 1 of 2 votes" in words
    [widened] = re.findall(r"Widens ([a-z_, ]+)\.", words)
    assert {"max_duration", "accounts"} <= set(widened.split(", "))
    assert "max duration 8 h 9 h more: it widens" in words
    assert f"accounts {HOME} {HOME}, {THEIRS} more: it widens" in words
    assert "Changes of limits that wait" in bob.words(f"/keys/{two_votes}")
    form = hidden(page.text)
    altered = bob.post(f"/proposals/{two_votes}", **(form | {"digest": "0" * 64}))
    assert (altered.status_code, "says what you saw" in altered.text) == (400, True)
    stale = bob.post(f"/proposals/{two_votes}", **(form | {"version": '"0"'}))
    assert (stale.status_code, "Not done." in stale.text) == (400, True)
    assert stack.call("bob", "GET", path).body["max_duration"] == "PT8H"
    assert alice.post(f"/proposals/{two_votes}", **form).status_code == 303
    assert stack.call("bob", "GET", path).body["max_duration"] == "PT8H"
    assert bob.post(f"/proposals/{two_votes}", **form).status_code == 303
    assert stack.call("bob", "GET", path).body["max_duration"] == "PT9H"
    late = bob.post(f"/proposals/{two_votes}", **form)
    assert (late.status_code, "says what you saw" in late.text) == (400, True)


def test_what_narrows_and_who_may_not_vote(stack: Running, bob: Console, two_votes: str) -> None:
    """A change that only narrows says so; whom the key's list leaves out sees it without a button."""
    path = f"/security/keys/{two_votes}"
    assert stack.call("alice", "PATCH", path, {"max_duration": "PT1H"}).status == 202
    words = bob.words("/proposals/")
    assert ("Widens nothing." in words, "1 h less: it narrows" in words) == (True, True)
    key, version = {**stack.call("bob", "GET", path).body, "may_decide": False}, '"1"'
    with mock.patch.object(SecurityTeam, "get_key", return_value=(key, version)):
        words = bob.words("/proposals/")
    assert ("Others vote on this" in words, "Vote for exactly this" in words) == (True, False)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's only form, but for its token."""
    found = dict(re.findall(r'type="hidden" name="(digest|version)" value="([^"]*)"', page))
    return {name: value.replace("&#34;", '"') for name, value in found.items()}
