"""From a grant that somebody made by hand to a time-boxed one, by what the census writes."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


def test_adoption(stack: Running, line: CommandLine, tmp_path: Path) -> None:
    """The key is registered from its file, and the third party's request from its own waits for approval."""
    admin, root = stack.aws("key_admin", "kms"), stack.aws("root", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    key_arn = admin.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    by_hand = root.create_grant(
        KeyId=key_arn,
        GranteePrincipal=stack.grantee("partner"),
        Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": {"dataset": "census"}},
    )["GrantId"]
    folder = tmp_path / "adopted"
    region = ("--regions", stack.ready["region"])
    taken = line.run("root", "census", *region, "--output", "json", "--adopt", str(folder))
    assert taken.code == 0
    key = next(each for each in taken.json["keys"] if each["key_arn"] == key_arn)
    assert [(each["grant_id"], each["made_by"]) for each in key["grants"]] == [(by_hand, "human")]
    file = folder / "keys" / f"{stack.ready['region']}-{key_arn.rpartition('/')[2]}.yaml"
    plan = line.run("alice", "apply", str(file), "--plan")
    assert (plan.code, ": create" in plan.out) == (5, True)
    assert line.run("alice", "apply", str(file), "--yes").code == 0
    [body] = folder.glob(f"requests/*/{by_hand}.json")
    asked = line.json("partner", "call", "POST", "/requests", f"@{body}")
    assert (asked["status"], asked["key"], asked["duration"]) == ("pending", key_arn, "PT8H")
    assert asked["encryption_context"] == {"dataset": "census"}
    revoking = f"--key-id {key_arn} --grant-id {by_hand}"
    assert revoking in (folder / "revoke.sh").read_text()
    assert json.dumps(by_hand) not in (folder / "left.jsonl").read_text()
    root.revoke_grant(KeyId=key_arn, GrantId=by_hand)
    line.run("partner", "release", asked["id"])
