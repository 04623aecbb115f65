"""What a key needs for the broker, over the API and on the command line, and that it then works."""

import json
from pathlib import Path
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError

from grant_broker.aws.clients import Clients
from grant_broker.client.commands import key_policy
from grant_broker.client.main import main
from grant_broker.domain.scope import ENCRYPT_SIDE
from tests.local_stack.deployment import STACK
from tests.support.scene import InProcessStack

_OTHER = "arn:aws:kms:eu-central-1:444455556666:key/0d0e"


@pytest.fixture
def scene(unregistered: InProcessStack) -> InProcessStack:
    """The founding scenario; its key is not registered yet."""
    return unregistered


def own_key(scene: InProcessStack) -> str:
    """A key that says nothing about the broker yet."""
    key_admin = {
        "Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "kms:*", "Resource": "*",
    }  # fmt: skip
    return scene.cloud.create_key({"Version": "2012-10-17", "Statement": [key_admin]})


def command(scene: InProcessStack, key: str, *words: str) -> int:
    """Run the command with the root user's credentials."""
    session = scene.cloud.session(scene.cloud.root())
    own = mock.patch.object(key_policy, "clients", return_value=Clients(session.client))
    with own, mock.patch.object(boto3, "Session", return_value=session):
        return main(["key-policy", key, "--stack", STACK, *words])


def role(scene: InProcessStack, function: str) -> str:
    """The ARN of a function's role."""
    return scene.deployment.functions[function].role


def test_a_key_of_one_s_own(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """The policy that the command prints, put on a key, lets the broker issue and end grants on it."""
    key = own_key(scene)
    assert command(scene, key, "--merged") == 0
    scene.cloud.put_key_policy(key, json.loads(capsys.readouterr().out))
    scene.key_arn = key
    assert scene.limit().status == 201
    issued = scene.take_up(scene.approved())
    assert issued.body["status"] == "active"
    answer = scene.security("GET", "/policy")
    assert (answer.status, answer.body["diff"]) == (200, "")
    assert command(scene, key) == 0
    assert "says all that the broker needs" in capsys.readouterr().out


def test_the_api_says_what_is_needed(scene: InProcessStack) -> None:
    """The founding key needs nothing; one not registered is named by its ARN, and gets the statements."""
    assert scene.security("GET", "/policy").status == 404
    assert scene.security("GET", "/policy", key_arn=scene.key_arn).body["diff"] == ""
    scene.limit()
    founding = scene.security("GET", "/policy")
    assert (founding.status, founding.body["diff"], founding.body["role_policies"]) == (200, "", {})
    nowhere = "arn:aws:kms:eu-central-1:111122223333:key/no-such-key"
    unknown = scene.call("alice", "GET", "/security/keys/no-such-key/policy", query={"key_arn": nowhere}).body
    assert (unknown["policy"], unknown["diff"]) == (None, None)
    assert unknown["statements"] == founding.body["statements"]
    there = scene.call("alice", "GET", "/security/keys/0d0e/policy", query={"key_arn": _OTHER})
    assert len(there.body["role_policies"]) == 4
    assert scene.security("GET", "/policy", key_arn=_OTHER).status == 400
    assert scene.security("GET", "/policy", key_arn="alias/x").status == 400
    assert scene.call("partner", "GET", f"/security/keys/{scene.key_id}/policy").status == 403


def test_the_command_shows_a_diff(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """By itself the command prints what would change."""
    assert command(scene, own_key(scene)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["--- present", "+++ needed"]
    assert any('"kms:CreateGrant"' in line for line in lines)


def test_a_key_of_another_account(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the present policy cannot be read, the statements and the roles' own policies are printed."""
    assert command(scene, _OTHER) == 0
    output = capsys.readouterr()
    assert "the present policy is not known: AccessDeniedException" in output.err
    assert "The key's policy needs these statements" in output.out
    assert f"{role(scene, 'expiry')} needs this IAM policy as well" in output.out
    assert command(scene, _OTHER, "--merged") == 1


def test_a_policy_in_a_file(
    scene: InProcessStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The present policy may come from a file; what is none there is told, with exit code 2."""
    file = tmp_path / "policy.json"
    file.write_text('{"Statement": []}')
    words = ("--policy", str(file), "--operations", "Encrypt")
    assert command(scene, scene.key_arn, *words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["policy"]["Statement"] == found["statements"]
    assert found["statements"][0]["Condition"]["ForAllValues:StringEquals"] == {
        "kms:GrantOperations": ["Encrypt"]
    }
    file.write_text("[]")
    assert command(scene, scene.key_arn, *words) == 2
    assert command(scene, scene.key_arn, "--policy", str(tmp_path / "none")) == 2
    no_policy, no_file = capsys.readouterr().err.splitlines()[-2:]
    assert no_policy == f"grant-broker key-policy: {file}: a policy is an object with a Statement"
    assert "No such file or directory" in no_file


def test_a_check_by_exit_code(
    scene: InProcessStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 where nothing is missing, 1 where something is, or is denied, 2 where the policy is not known."""
    assert command(scene, scene.key_arn, "--check") == 0
    assert command(scene, own_key(scene), "--check") == 1
    assert command(scene, _OTHER, "--check") == 2
    file, policy = tmp_path / "policy.json", scene.key_policy()
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:RevokeGrant", "Resource": "*"}
    file.write_text(json.dumps({**policy, "Statement": [*policy["Statement"], deny]}))
    capsys.readouterr()
    assert command(scene, scene.key_arn, "--check", "--policy", str(file)) == 1
    output = capsys.readouterr()
    assert f"denies kms:RevokeGrant to {role(scene, 'expiry')}" in output.err
    assert output.out == ""
    file.write_text("{")
    assert command(scene, scene.key_arn, "--check", "--policy", str(file)) == 2


def test_a_deleted_principal(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a role of the present policy was deleted, KMS takes what is printed, and not what there was."""
    gone = scene.cloud.create_role("gone", [])
    statement = {"Effect": "Allow", "Principal": {"AWS": gone}, "Action": "kms:Decrypt", "Resource": "*"}
    policy = scene.key_policy()
    scene.cloud.put_key_policy(scene.key_arn, {**policy, "Statement": [*policy["Statement"], statement]})
    scene.cloud.delete_role(gone)
    kms = scene.cloud.session(scene.cloud.root()).client("kms")
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        kms.put_key_policy(KeyId=scene.key_arn, Policy=kms.get_key_policy(KeyId=scene.key_arn)["Policy"])
    capsys.readouterr()
    assert command(scene, scene.key_arn, "--merged") == 0
    output = capsys.readouterr()
    kms.put_key_policy(KeyId=scene.key_arn, Policy=output.out)
    assert "AROA" not in output.out
    assert "names a principal that was deleted: AROA" in output.err


def put_policy_of(scene: InProcessStack, count: int) -> None:
    """Give the key a policy of so many statements, written as small as can be."""
    root = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [root] * count}, separators=(",", ":"))
    put_policy(scene, policy)


def put_policy(scene: InProcessStack, text: str) -> None:
    """PutKeyPolicy as the root user."""
    kms = scene.cloud.session(scene.cloud.root()).client("kms")
    kms.put_key_policy(KeyId=scene.key_arn, Policy=text)


def test_a_large_policy_is_printed_compact(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """What is too large for KMS with its indentation is printed without, and KMS takes it."""
    put_policy_of(scene, 300)
    assert command(scene, scene.key_arn, "--merged") == 0
    put_policy(scene, capsys.readouterr().out)
    assert command(scene, scene.key_arn, "--check") == 0


def test_a_policy_without_room(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """Where KMS would not take the policy with the statements, none is printed, and it is said why."""
    put_policy_of(scene, 375)
    assert command(scene, scene.key_arn, "--merged") == 1
    output = capsys.readouterr()
    assert (output.out, "and KMS takes 32768: shorten it first" in output.err) == ("", True)


_ROLE = "arn:aws:iam::111122223333:role/own/{}"


def test_roles_by_their_arns(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a stack the roles are given one by one, and nothing of AWS is asked."""
    given = [
        word
        for name in ("requests", "approvals", "expiry", "reconcile")
        for word in (f"--{name}-role", _ROLE.format(name))
    ]
    whole = ["key-policy", _OTHER, "--policy", "none"]
    with mock.patch("pathlib.Path.read_text", return_value='{"Statement": []}'):
        assert main([*whole, *given, "--json"]) == 0
        statements = json.loads(capsys.readouterr().out)["statements"]
        assert statements[0]["Principal"] == {"AWS": _ROLE.format("requests")}
        operations = statements[0]["Condition"]["ForAllValues:StringEquals"]["kms:GrantOperations"]
        assert operations == list(ENCRYPT_SIDE)
        assert main([*whole, *given[:6]]) == 2
        assert main([*whole, *given[:6], "--reconcile-role", _ROLE.format("x").replace("1111", "9999")]) == 2
    missing, mixed = capsys.readouterr().err.splitlines()
    assert missing.endswith("give --stack, or --reconcile-role as well")
    assert mixed.endswith("the broker's roles are of one account, not of 111122223333, 999922223333")


def test_an_option_goes_before_the_stack(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """What is given is taken; the stack tells the rest, its operations too."""
    assert command(scene, own_key(scene), "--expiry-role", _ROLE.format("x"), "--json") == 0
    issue = json.loads(capsys.readouterr().out)["statements"][0]
    assert issue["Condition"]["StringEquals"]["kms:RetiringPrincipal"] == _ROLE.format("x")
    assert issue["Principal"] == {"AWS": role(scene, "requests")}


def test_a_stack_that_is_not_there_or_not_the_broker_s(
    scene: InProcessStack, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said in one line, with exit code 2."""
    scene.cloud.stacks["arn:aws:cloudformation:eu-central-1:111122223333:stack/other/1"] = {"Url": "x"}
    assert command(scene, scene.key_arn, "--stack", "other") == 2
    assert command(scene, scene.key_arn, "--stack", "none") == 2
    other, none = capsys.readouterr().err.splitlines()
    assert other.startswith("grant-broker key-policy: the stack other has no output RequestsRoleArn, ")
    assert "Stack with id none does not exist" in none


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--key-arn", _OTHER.replace(":aws:", ":aws-cn:")], "the broker serves the partition aws only"),
        (["--key-arn", "alias/x"], "give a key's ARN, no id and no alias"),
        (
            ["--expiry-role", "arn:aws-us-gov:iam::111122223333:role/x"],
            "the broker serves the partition aws only",
        ),
        (["--expiry-role", "arn:aws:iam::111122223333:user/x"], "give a role's ARN"),
        (["--stack", "my stack"], "give the name of a CloudFormation stack"),
        (["--operations", "Encrypt,CreateGrant"], "not grantable: 'CreateGrant'"),
        (["--key-arn", _OTHER], "give the ARN of one key"),
        (["--merged", "--check"], "give one of --json, --merged and --check"),
    ],
)
def test_arguments_are_refused_in_words(
    words: list[str], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be meant is refused with what would be right, with exit code 2."""
    assert main(["key-policy", _OTHER, "--stack", "broker", *words]) == 2
    assert fault in capsys.readouterr().err


def test_a_policy_that_cannot_be_used_is_told_by_the_api(scene: InProcessStack) -> None:
    """Where the present policy could be meant in two ways, the answer says so, with the statements alone."""
    gone = scene.cloud.create_role("gone", [])
    statement = {
        "Sid": "But",
        "Effect": "Deny",
        "NotPrincipal": {"AWS": gone},
        "Action": "kms:Sign",
        "Resource": "*",
    }
    policy = scene.key_policy()
    scene.cloud.put_key_policy(scene.key_arn, {**policy, "Statement": [*policy["Statement"], statement]})
    scene.cloud.delete_role(gone)
    told = scene.security("GET", "/policy", key_arn=scene.key_arn).body
    assert (told["policy"], told["diff"], told["denied"]) == (None, None, [])
    assert "statement 'But' excepts deleted principals alone" in told["notes"][0]
