"""What a key needs for the broker, over the API and on the command line, and that it then works."""

import json
from pathlib import Path
from unittest import mock

import boto3
import pytest

from grant_broker.client.main import main
from tests.support.unregistered import Scene

_OTHER = "arn:aws:kms:eu-central-1:444455556666:key/0d0e"


@pytest.fixture
def scene(unregistered: Scene) -> Scene:
    """The founding scenario; its key is not registered yet."""
    return unregistered


def own_key(scene: Scene) -> str:
    """A key that says nothing about the broker yet."""
    key_admin = {
        "Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "kms:*", "Resource": "*",
    }  # fmt: skip
    return scene.cloud.create_key({"Version": "2012-10-17", "Statement": [key_admin]})


def command(scene: Scene, key: str, *words: str) -> int:
    """Run the command with the root user's credentials."""
    session = scene.cloud.session(scene.cloud.root())
    with mock.patch.object(boto3, "Session", return_value=session):
        return main(["key-policy", "--key-arn", key, "--stack", "grant-broker", *words])


def test_a_key_of_one_s_own(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """The policy that the command prints, put on a key, lets the broker issue and end grants on it."""
    key = own_key(scene)
    assert command(scene, key, "--merged") == 0
    scene.cloud.put_key_policy(key, json.loads(capsys.readouterr().out))
    scene.key, scene.key_id = key, key.rpartition("/")[2]
    assert scene.register().status == 201
    issued = scene.grant()
    assert issued.body["status"] == "active"
    answer = scene.security("GET", "/policy")
    assert (answer.status, answer.body["diff"]) == (200, "")
    assert command(scene, key) == 0
    assert "says all that the broker needs" in capsys.readouterr().out


def test_the_api_says_what_is_needed(scene: Scene) -> None:
    """The founding key needs nothing; one not registered is named by its ARN, and gets the statements."""
    assert scene.security("GET", "/policy").status == 404
    assert scene.security("GET", "/policy", key_arn=scene.key).body["diff"] == ""
    scene.register()
    founding = scene.security("GET", "/policy")
    assert (founding.status, founding.body["diff"], founding.body["role_policies"]) == (200, "", {})
    nowhere = "arn:aws:kms:eu-central-1:111122223333:key/no-such-key"
    unknown = scene.call("alice", "GET", "/security/keys/no-such-key/policy", key_arn=nowhere).body
    assert (unknown["policy"], unknown["diff"]) == (None, None)
    assert unknown["statements"] == founding.body["statements"]
    there = scene.call("alice", "GET", "/security/keys/0d0e/policy", key_arn=_OTHER)
    assert len(there.body["role_policies"]) == 4
    assert scene.security("GET", "/policy", key_arn=_OTHER).status == 400
    assert scene.security("GET", "/policy", key_arn="alias/x").status == 400
    assert scene.call("partner", "GET", f"/security/keys/{scene.key_id}/policy").status == 403


def test_the_command_shows_a_diff(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """By itself the command prints what would change."""
    assert command(scene, own_key(scene)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["--- present", "+++ needed"]
    assert any('"kms:CreateGrant"' in line for line in lines)


def test_a_key_of_another_account(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the present policy cannot be read, the statements and the roles' own policies are printed."""
    assert command(scene, _OTHER, "--account", "111122223333") == 0
    output = capsys.readouterr()
    assert "the present policy is not known: AccessDeniedException" in output.err
    assert "The key's policy needs these statements" in output.out
    assert "arn:aws:iam::111122223333:role/grant-broker-expiry needs this IAM policy besides" in output.out
    assert command(scene, _OTHER, "--account", "111122223333", "--merged") == 1


def test_a_policy_in_a_file(scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The present policy may come from a file; what is none there is told, with exit code 2."""
    file = tmp_path / "policy.json"
    file.write_text('{"Statement": []}')
    words = ("--policy", str(file), "--operations", "Encrypt")
    assert command(scene, scene.key, *words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["policy"]["Statement"] == found["statements"]
    assert found["statements"][0]["Condition"]["ForAllValues:StringEquals"] == {
        "kms:GrantOperations": ["Encrypt"]
    }
    file.write_text("[]")
    assert command(scene, scene.key, *words) == 2
    assert command(scene, scene.key, "--policy", str(tmp_path / "none")) == 2
    assert "a key policy is a JSON object" in capsys.readouterr().err
