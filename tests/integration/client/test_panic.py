"""The panic ladder rehearsed on the strict KMS: what each rung stops, and what goes on."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.client.main import main
from grant_broker.domain.lifecycle import Status
from tests.local_aws.cloud import Credentials
from tests.support.scene import InProcessStack

CONTEXT = {"tenant": "a"}
Ladder = Callable[[list[str]], str]
_ALLOWED, _DENIED = "allowed", "AccessDeniedException"


def tried(scene: InProcessStack, who: str, operation: str, **parameters: Any) -> str:
    """What comes of a call of KMS on the key by a person, or by a function's role."""
    kind, _, name = who.rpartition(".")
    caller: Credentials = scene.deployment.credentials(name) if kind else scene.credentials(who)
    kms = scene.cloud.session(caller).client("kms")
    try:
        getattr(kms, operation)(KeyId=scene.key_arn, **parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return _ALLOWED


def encrypt(scene: InProcessStack, who: str) -> str:
    """What comes of using a grant."""
    return tried(scene, who, "encrypt", Plaintext=b"x", EncryptionContext=CONTEXT)


@pytest.fixture
def granted(scene: InProcessStack) -> tuple[str, str]:
    """A live grant of the partner's and one of the other partner's, the ids of their requests."""
    theirs = scene.submit("other_partner", grantee=scene.grantee("other_partner")).body["id"]
    assert scene.decide(theirs).status == 200
    assert scene.take_up(theirs, "other_partner").status == 201
    return scene.active(), theirs


def administer(scene: InProcessStack, line: str, folder: Path) -> None:
    """Run one `aws kms` line of the ladder as the key's administrator, on the strict KMS."""
    words = shlex.split(line)
    options = dict(zip(words[3::2], words[4::2], strict=False))
    kms = scene.cloud.session(scene.credentials("key_admin")).client("kms")
    match words[2]:
        case "get-key-policy":
            policy = kms.get_key_policy(KeyId=options["--key-id"], PolicyName=options["--policy-name"])[
                "Policy"
            ]
            (folder / line.rpartition("> ")[2]).write_text(policy)
        case "put-key-policy":
            text = (folder / options["--policy"].removeprefix("file://")).read_text()
            kms.put_key_policy(KeyId=options["--key-id"], PolicyName="default", Policy=text)
        case "disable-key":
            kms.disable_key(KeyId=options["--key-id"])
        case "enable-key":
            kms.enable_key(KeyId=options["--key-id"])


@pytest.fixture
def ladder(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ladder:
    """Runs a command of ours in a folder of its own; what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(words: list[str]) -> str:
        assert main(words) == 0
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("by", ["account", "grantee"])
def test_the_ladder(
    scene: InProcessStack, granted: tuple[str, str], by: str, tmp_path: Path, ladder: Ladder
) -> None:
    """The Deny stops the named holder's grant and new ones for it, and nothing else; disabling stops all."""
    who = {"account": scene.credentials("partner").account, "grantee": scene.grantee("partner")}[by]
    printed = ladder(["revocations", "panic", scene.key_arn, f"--{by}", who])
    lines = [line for line in printed.splitlines() if line.startswith(("aws kms", "grant-broker"))]
    read, merge, deny, undo, disable, enable = lines
    blob = (
        scene.cloud.session(scene.credentials("partner"))
        .client("kms")
        .encrypt(KeyId=scene.key_arn, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    )

    def reads() -> str:
        return tried(scene, "data_reader", "decrypt", CiphertextBlob=blob, EncryptionContext=CONTEXT)

    assert (encrypt(scene, "partner"), encrypt(scene, "other_partner"), reads()) == (_ALLOWED,) * 3
    administer(scene, read, tmp_path)
    command, _, file = merge.partition(" > ")
    (tmp_path / file).write_text(ladder(shlex.split(command)[1:]))
    administer(scene, deny, tmp_path)
    assert encrypt(scene, "partner") == _DENIED
    assert (encrypt(scene, "other_partner"), reads()) == (_ALLOWED, _ALLOWED)
    _no_new_grant(scene)
    # The broker ends what is of no use any more: retiring needs no policy, and the role's right is another's.
    assert scene.release(granted[0]).status == 202
    scene.later(1)
    assert scene.status(granted[0]) == Status.RELEASED
    administer(scene, disable, tmp_path)
    assert encrypt(scene, "other_partner") == reads() == "DisabledException"
    assert scene.release(granted[1], "other_partner").status == 202
    scene.later(1)
    assert scene.grants() == []
    administer(scene, enable, tmp_path)
    administer(scene, undo, tmp_path)
    assert json.loads(scene.kms.get_key_policy(KeyId=scene.key_arn)["Policy"]) == scene.key_policy()
    assert reads() == _ALLOWED
    scene.active()
    assert encrypt(scene, "partner") == _ALLOWED


def _no_new_grant(scene: InProcessStack) -> None:
    """KMS itself refuses the broker a grant for whoever is denied, and makes one for another."""
    refused = scene.approved()
    answer = scene.take_up(refused)
    assert (answer.status, scene.status(refused)) == (409, Status.FAILED)
    other = scene.submit("other_partner", grantee=scene.grantee("other_partner")).body["id"]
    assert scene.decide(other).status == 200
    assert scene.take_up(other, "other_partner").status == 201
    assert scene.release(other, "other_partner").status == 202
    scene.later(1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give --account or --grantee"),
        (["--account", "111122223333"], "the key's own account"),
        (["--account", "4444"], "12 digits"),
        (["--grantee", "arn:aws:iam::444455556666:root"], "one role, user or session"),
        (["--account", "444455556666", "--merge", "nothing.json"], "nothing.json"),
    ],
)
def test_what_it_does_not_take(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 with what to give instead: a Deny of the home account would shut its administrators out."""
    key = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
    assert main(["revocations", "panic", key, *words]) == 2
    assert said in capsys.readouterr().err
