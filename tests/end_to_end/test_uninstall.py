"""`grant-broker uninstall`: on a running stack nothing lives afterwards, and nothing new comes."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running, started
from tests.support.limits import limits


@pytest.fixture
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A stack of its own: the others' keys must stay open."""
    with started(tmp_path_factory.mktemp("uninstall"), "--schedule-seconds", "1") as (ready, _):
        yield Running(ready)


def test_every_grant_ends_and_no_key_stays_open(
    own_stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Active grants end, what was approved is taken back, and a request after it is refused."""
    line = CommandLine(own_stack, monkeypatch, capsys)
    granted = [own_stack.granted(encryption_context={"dataset": name}) for name in ("a", "b")]
    waiting = own_stack.call("partner", "POST", "/requests", own_stack.submission()).body
    vote = {"verdict": "approve", "comment": ""}
    own_stack.call("alice", "POST", f"/security/requests/{waiting['id']}/decision", vote)
    assert len(own_stack.aws("root", "kms").list_grants(KeyId=own_stack.key)["Grants"]) == 2
    done = line.run("alice", "uninstall", "--yes")
    assert done.code == 0, done.err
    assert own_stack.key in done.out
    assert own_stack.aws("root", "kms").list_grants(KeyId=own_stack.key)["Grants"] == []
    statuses = {
        own_stack.call("partner", "GET", f"/requests/{request['id']}").body["status"]
        for request in (*granted, waiting)
    }
    assert statuses == {"revoked"}
    refused = own_stack.call("partner", "POST", "/requests", own_stack.submission())
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "key")
    # Whoever of the team opens the key again opens it to nobody: the block stands.
    reopened = limits(name="partner_data", accounts=["444455556666"])
    path = f"/security/keys/{own_stack.key.rpartition('/')[2]}"
    assert own_stack.call("bob", "PUT", path, reopened).status in {200, 201}
    blocked = own_stack.call("partner", "POST", "/requests", own_stack.submission())
    assert (blocked.status, "for everybody" in blocked.body["detail"]) == (403, True)
    assert line.run("bob", "uninstall", "--yes").code == 0
