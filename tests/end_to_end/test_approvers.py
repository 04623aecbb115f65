"""A key's own approvers and requesters, over signed HTTP."""

from pathlib import Path

import click
import pytest

from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running
from tests.support.limits import limits


def _role_id(stack: Running, person: str) -> str:
    identity = stack.aws(person, "sts").get_caller_identity()
    return str(identity["UserId"].partition(":")[0])


def _registered(stack: Running, name: str) -> str:
    """The id of a key on which the duty role alone decides, and the partner's role alone may ask."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    key_id = str(admin.create_key(Policy=policy)["KeyMetadata"]["KeyId"])
    people = {"approvers": [_role_id(stack, "duty")], "requesters": [stack.grantee("partner")]}
    answer = stack.call("alice", "PUT", f"/security/keys/{key_id}", limits(name=name, **people))
    assert (answer.status, answer.body["may_decide"]) == (201, False)
    return key_id


def test_a_key_of_its_own_people(stack: Running) -> None:
    """The named role asks, the named role decides, what was granted is used; nobody else does either."""
    key_id = _registered(stack, "reserved")
    path = f"/security/keys/{key_id}"
    asked = stack.submission(key="reserved")
    refused = stack.call("partner_colleague", "POST", "/requests", asked)
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "key")
    offers = [key["name"] for key in stack.call("partner_colleague", "GET", "/keys").body["items"]]
    assert "reserved" not in offers
    request = stack.call("partner", "POST", "/requests", asked).body["id"]
    decision, approve = f"/security/requests/{request}/decision", {"verdict": "approve"}
    assert stack.call("alice", "GET", f"/security/requests/{request}").body["may_decide"] is False
    assert stack.call("alice", "POST", decision, approve).status == 403
    assert stack.call("duty", "POST", decision, approve).body["status"] == "approved"
    grant = stack.call("partner", "POST", f"/requests/{request}/grant").body
    kms, arn = stack.aws("partner", "kms"), stack.key.replace(stack.key.rpartition("/")[2], key_id)
    context, token = grant["encryption_context"], [grant["grant"]["grant_token"]]
    assert kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=context, GrantTokens=token)
    stack.call("partner", "DELETE", f"/requests/{request}/grant")
    assert stack.call("alice", "PATCH", path, {"quorum": 1}).status == 403
    assert stack.call("alice", "DELETE", path).status == 204


def test_the_commands_say_whose_it_is(
    stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Queue, key and request show who decides; whoever edits without being one is told before and after."""
    line = CommandLine(stack, monkeypatch, capsys)
    key_id = _registered(stack, "watched")
    request = stack.call("partner", "POST", "/requests", stack.submission(key="watched")).body["id"]
    for who, decides in (("alice", "no"), ("duty", "yes")):
        [header, row] = line.run(who, "queue", "--key", "watched").out.splitlines()
        assert row[header.index("YOURS") :].split()[0] == decides
        shown = line.run(who, "show", request).out.splitlines()
        assert ["you", "decide", decides] in [each.split() for each in shown]
        [row] = [each for each in line.run(who, "keys", "managed").out.splitlines() if "watched" in each]
        assert decides in row.split()
    monkeypatch.setattr(click, "edit", lambda text, **_: text.replace("PT8H", "PT1H"))
    refused = line.run("alice", "keys", "edit", "watched")
    assert "your role is no approver of this key" in refused.err
    assert refused.code != 0
    assert line.run("duty", "keys", "edit", "watched").err == "changed\n"
    arn = stack.key.replace(stack.key.rpartition("/")[2], key_id)
    file = tmp_path / "desired.yaml"
    file.write_text(f"kind: key\nkey_arn: {arn}\nmax_duration: PT30M\n")
    planned = line.run("alice", "apply", str(file), "--plan").out
    assert "~ key watched: change, but your role is no approver of the key" in planned
    assert "no approver" not in line.run("duty", "apply", str(file), "--plan").out
    assert stack.call("alice", "DELETE", f"/security/keys/{key_id}").status == 204
