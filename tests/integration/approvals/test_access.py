"""The access report over the API and on the command line, against the strict local KMS."""

import json
from typing import Any
from unittest import mock

import boto3
import pytest

from grant_broker.client.main import main
from tests.local_aws.answers import AwsError, ok
from tests.support.faults import answered, before, refused
from tests.support.scene import InProcessStack


@pytest.fixture
def scene(unregistered: InProcessStack) -> InProcessStack:
    """The founding scenario; its key is not registered yet."""
    return unregistered


def by_hand(scene: InProcessStack, count: int, **changes: Any) -> None:
    """Create grants as the account's root user."""
    client = scene.cloud.session(scene.cloud.root()).client("kms")
    for number in range(count):
        client.create_grant(
            **{
                "KeyId": scene.key_arn, "GranteePrincipal": scene.grantee("data_reader"),
                "Operations": ["Encrypt"],
                "Constraints": {"EncryptionContextEquals": {"number": str(number)}}, **changes,
            }
        )  # fmt: skip


def access(scene: InProcessStack, **query: str) -> dict[str, Any]:
    """An answer of the report."""
    answer = scene.security("GET", "/access", **query)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def every_page(scene: InProcessStack, limit: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first answer, and the items of all."""
    first = page = access(scene, limit=str(limit))
    items = list(page["items"])
    assert len(items) <= limit
    while page["cursor"]:
        page = access(scene, limit=str(limit), cursor=page["cursor"])
        assert (page["findings"], page["counts"]) == ([], {})
        assert len(page["items"]) <= limit
        items += page["items"]
    return first, items


def test_the_founding_scenario(scene: InProcessStack) -> None:
    """Everybody with access is listed with the way they have it; there is nothing to find fault with."""
    scene.limit()
    request = scene.take_up(scene.approved()).body
    report = access(scene)
    ways = [(item["through"]["kind"], item["through"].get("sid")) for item in report["items"]]
    assert ways[:4] == [
        ("key_policy", "AccountRoot"),
        ("iam", "Administration"),
        ("iam", "DataReader"),
        ("key_policy", "Issue"),
    ]
    assert ways[4:-1]
    assert {kind for kind, _ in ways[4:-1]} == {"key_policy"}
    assert ways[-1] == ("grant", None)
    assert report["items"][2]["principal"] == scene.grantee("data_reader")
    granted = report["items"][-1]
    assert (granted["principal"], granted["actions"]) == (scene.grantee("partner"), ["kms:Encrypt"])
    assert granted["through"]["request_id"] == request["id"]
    assert granted["through"]["grant_id"] == request["grant"]["grant_id"]
    assert (granted["until"], granted["constraint"]) == (
        request["expires_at"],
        {"EncryptionContextEquals": {"tenant": "a"}},
    )
    assert (report["findings"], report["counts"]["broker_grants"], report["cursor"]) == ([], 1, None)


def test_complete_under_paging(scene: InProcessStack) -> None:
    """Every grant is on exactly one page; findings and counts over all of them come first."""
    scene.limit()
    by_hand(scene, 130)
    by_hand(scene, 1, Operations=["Decrypt"])
    by_hand(scene, 1, Constraints={"EncryptionContextEquals": {"number": "7"}})
    first, items = every_page(scene, 40)
    ids = [item["through"]["grant_id"] for item in items if item["through"]["kind"] == "grant"]
    assert sorted(ids) == sorted(grant["GrantId"] for grant in scene.cloud.grants(scene.key_arn))
    assert len(first["items"]) == 40
    assert first["items"][-1]["through"]["kind"] == "grant"
    assert first["counts"]["foreign_grants"] == 132
    assert first["counts"]["findings"] == {"duplicate_grant": 1, "grant_with_decrypt": 1}


@pytest.mark.parametrize("grants", [0, 3])
@pytest.mark.parametrize("limit", [1, 4, 9, 10])
def test_pages_of_few(scene: InProcessStack, limit: int, grants: int) -> None:
    """However few a page holds, access by the key policy and then every grant come once, in order."""
    scene.limit()
    by_hand(scene, grants)
    whole = access(scene)["items"]
    assert len(whole) == 9 + grants
    first, items = every_page(scene, limit)
    assert items == whole
    assert first["counts"]["grants"] == grants


def test_a_deleted_role(scene: InProcessStack) -> None:
    """A grant to a role that was deleted since is shown under the id that KMS shows, and found."""
    scene.limit()
    scene.take_up(scene.approved())
    scene.cloud.delete_role(scene.grantee("partner"))
    report = access(scene)
    assert report["items"][-1]["principal"].startswith("AROA")
    assert [finding["code"] for finding in report["findings"]] == ["grant_to_deleted_principal"]


def test_only_keys_of_the_register(scene: InProcessStack) -> None:
    """A key that nobody registered answers 404, a closed one is still reported, and only to the team."""
    assert scene.security("GET", "/access").status == 404
    scene.limit()
    scene.security("DELETE", "")
    assert access(scene)["counts"]["grants"] == 0
    refused = scene.call("partner", "GET", f"/security/keys/{scene.key_id}/access")
    assert (refused.status, refused.body["code"]) == (403, "not_permitted")


def test_a_cursor_is_for_its_own_list(scene: InProcessStack) -> None:
    """Another person's cursor, another key's or one that KMS does not know is 400."""
    scene.limit()
    by_hand(scene, 3)
    cursor = access(scene, limit="1")["cursor"]
    other = scene.call(
        "bob", "GET", f"/security/keys/{scene.key_id}/access", query={"cursor": cursor, "limit": "1"}
    )
    assert other.status == 400  # though bob and alice come through the same role
    assert scene.security("GET", "/access", cursor="x").status == 400
    assert scene.security("GET", "/access", limit="101").status == 400
    with scene.faults({"ListGrants": refused("InvalidMarkerException")}):
        answer = scene.security("GET", "/access", cursor=cursor)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "cursor")


def test_kms_refuses(scene: InProcessStack) -> None:
    """Where KMS refuses to list grants the answer is 409; where it hides the policy, grants alone show."""
    scene.limit()
    scene.take_up(scene.approved())
    with scene.faults({"ListGrants": refused("AccessDeniedException")}):
        assert scene.security("GET", "/access").status == 409
    with scene.faults({"GetKeyPolicy": refused("AccessDeniedException")}):
        report = access(scene)
    assert [item["through"]["kind"] for item in report["items"]] == ["grant"]
    assert report["findings"][0]["code"] == "key_policy_unreadable"


def test_a_second_policy(scene: InProcessStack) -> None:
    """A policy that Resource Access Manager put beside the key policy is told as not judged."""
    scene.limit()
    two = ok({"PolicyNames": ["default", "AWS_RAM"], "Truncated": False})
    with scene.faults({"ListKeyPolicies": lambda _go_on: two}):
        (finding,) = access(scene)["findings"]
    assert finding["code"] == "key_policy_not_judged"
    assert "AWS_RAM" in finding["detail"]


def test_where_kms_does_not_list_policies(scene: InProcessStack) -> None:
    """Without the right to list a key's policies it is said that there may be a second one."""
    scene.limit()
    with scene.faults({"ListKeyPolicies": refused("AccessDeniedException")}):
        findings = access(scene)["findings"]
    assert [finding["code"] for finding in findings] == ["key_policies_not_listed"]


def test_a_later_page_that_kms_refuses(scene: InProcessStack) -> None:
    """A refusal that is not about the place is no fault of the cursor."""
    scene.limit()
    by_hand(scene, 2)
    cursor = access(scene, limit="1")["cursor"]
    with scene.faults({"ListGrants": refused("AccessDeniedException")}):
        assert scene.security("GET", "/access", limit="1", cursor=cursor).status == 409


def test_more_grants_than_a_second_reads(scene: InProcessStack) -> None:
    """The first page does not wait for all grants, and says so; the second has findings and counts of all."""
    scene.limit()
    by_hand(scene, 1, Operations=["Decrypt"])
    by_hand(scene, 105)
    by_hand(scene, 1, Constraints={"EncryptionContextEquals": {"number": "7"}})
    whole = access(scene, limit="13")
    with scene.faults({"ListGrants": before(lambda: scene.clock.advance(seconds=0.6))}):
        first = access(scene, limit="13")
        second = access(scene, limit="13", cursor=first["cursor"])
        third = access(scene, limit="13", cursor=second["cursor"])
    assert (first["items"], first["counts"]) == (whole["items"], {})
    codes = [finding["code"] for finding in first["findings"]]
    assert codes == ["not_all_read", "grant_with_decrypt"]
    assert "104 grants" in first["findings"][0]["detail"]
    assert (second["findings"], second["counts"]) == (whole["findings"], whole["counts"])
    assert second["counts"]["findings"] == {"duplicate_grant": 1, "grant_with_decrypt": 1}
    assert (third["findings"], third["counts"]) == ([], {})
    assert len({item["through"].get("grant_id") for item in second["items"] + third["items"]}) == 26


def test_kms_is_too_slow(scene: InProcessStack) -> None:
    """Where not all grants can be read in time, the second page is 503 and names the command."""
    scene.limit()
    by_hand(scene, 101)
    with scene.faults({"ListGrants": before(lambda: scene.clock.advance(seconds=15))}):
        first = access(scene, limit="1")
        answer = scene.security("GET", "/access", limit="1", cursor=first["cursor"])
    assert first["findings"][0]["code"] == "not_all_read"
    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert "grant-broker access" in answer.body["detail"]


def test_a_key_of_another_account(scene: InProcessStack) -> None:
    """A registered key of another account is found by its id, and reported as far as KMS shows it."""
    assert scene.limit().status == 201
    policy = scene.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
    other = scene.cloud.create_key(policy, account="444455556666")
    # From another account both must let it through: the key's policy and the role's own.
    scene.allow("ApprovalsRole", ["kms:DescribeKey", "kms:ListGrants"], other)
    key_id = other.rpartition("/")[2]
    body = {"key_arn": other, "name": "theirs", "accounts": ["444455556666"]}
    assert scene.call("alice", "PUT", f"/security/keys/{key_id}", body).status == 201
    answer = scene.call("alice", "GET", f"/security/keys/{key_id}/access")
    assert (answer.status, answer.body["counts"]["grants"]) == (200, 0)
    assert scene.call("alice", "GET", "/security/keys/none/access").status == 404


def on_the_command_line(scene: InProcessStack, *words: str) -> int:
    """Run the command with the root user's credentials."""
    session = scene.cloud.session(scene.cloud.root())
    with mock.patch.object(boto3, "Session", return_value=session):
        return main(["access", scene.key_arn, "--from-kms", *words])


def test_the_command_prints_the_whole(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """--json is the API's report with every grant in it."""
    scene.limit()
    scene.take_up(scene.approved())
    by_hand(scene, 120)
    retiring = scene.deployment.template.reference("ExpiryRole", "Arn")
    capsys.readouterr()
    assert on_the_command_line(scene, "--json", "--retiring-principal", retiring) == 0
    report = json.loads(capsys.readouterr().out)
    first, items = every_page(scene, 100)
    by_iam = [item for item in report["items"] if "policy" in item["through"]]
    counts = {**first["counts"], "iam_entries": len(by_iam), "principals": report["counts"]["principals"]}
    assert [item for item in report["items"] if "policy" not in item["through"]] == items
    shown = {"findings": first["findings"], "counts": counts, "last_used": first["last_used"]}
    assert {**report, "items": items} == {"items": items, **shown}


def test_the_command_lists_whom_iam_lets_in(
    scene: InProcessStack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who administers the key, and who reads, by IAM policies is named, with the policy that gives it."""
    assert on_the_command_line(scene, "--json") == 0
    output = capsys.readouterr()
    assert output.err == ""
    report = json.loads(output.out)
    by_iam = [item for item in report["items"] if "policy" in item["through"]]
    held = {item["principal"]: (item["through"]["sid"], item["actions"]) for item in by_iam}
    administrator, reader = scene.grantee("key_admin"), scene.grantee("data_reader")
    assert (held[administrator][0], "kms:PutKeyPolicy" in held[administrator][1]) == ("Administration", True)
    assert not {"kms:Encrypt", "kms:Decrypt", "kms:CreateGrant"}.intersection(held[administrator][1])
    assert held[reader] == ("DataReader", ["kms:Decrypt"])
    assert {principal.split(":")[4] for principal in held} == {"111122223333"}


def test_the_command_says_where_iam_is_not_read(
    scene: InProcessStack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who may not read IAM is told so in one line; where nothing is left to IAM it is not asked."""
    denied = AwsError("AccessDenied", "not authorized", 403).response("query")
    with scene.faults({"GetAccountAuthorizationDetails": lambda _go_on: denied}):
        assert on_the_command_line(scene) == 0
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith(
        "grant-broker access: IAM of 111122223333 is not read: whom it lets in is not listed: An"
    )
    assert "AccessDenied" in line
    assert "IAM of account 111122223333" in output.out
    assert "iam entries" not in output.out
    kept = [
        each
        for each in scene.key_policy()["Statement"]
        if each["Sid"] not in {"Administration", "DataReader"}
    ]
    scene.cloud.put_key_policy(scene.key_arn, {**scene.key_policy(), "Statement": kept})
    assert on_the_command_line(scene) == 0
    assert capsys.readouterr().err == ""


def test_the_command_says_whose_iam_it_cannot_read(
    scene: InProcessStack, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left to another account's IAM is that account's to tell."""
    policy = scene.key_policy()
    theirs = {
        "Effect": "Allow",
        "Principal": {"AWS": "444455556666"},
        "Action": "kms:Encrypt",
        "Resource": "*",
    }
    scene.cloud.put_key_policy(scene.key_arn, {**policy, "Statement": [*policy["Statement"], theirs]})
    assert on_the_command_line(scene) == 0
    output = capsys.readouterr()
    assert output.err == (
        "grant-broker access: IAM of 444455556666 is not read: whom it lets in is not listed: "
        "it is not the caller's account\n"
    )
    assert scene.grantee("key_admin") in output.out


def test_the_command_without_a_key_policy(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """Where KMS does not show the key policy, or shows what is none, IAM is not asked."""
    for code, fault in (
        ("key_policy_unreadable", refused("AccessDeniedException")),
        ("key_policy_not_understood", answered(b'{"Policy": "{}"}')),
    ):
        with scene.faults({"GetKeyPolicy": fault}):
            assert on_the_command_line(scene) == 0
        output = capsys.readouterr()
        assert (code in output.out, output.err) == (True, "")


def test_the_command_prints_a_table(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json a person reads a line for each access, the findings and the counts."""
    scene.limit()
    made = scene.take_up(scene.approved()).body
    by_hand(scene, 1, Operations=["Decrypt"])
    capsys.readouterr()
    assert on_the_command_line(scene) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["PRINCIPAL", "ACTIONS", "THROUGH", "UNTIL", "CONSTRAINT"]
    assert "46 of 47 actions" in lines[1]
    printed = "\n".join(lines)
    assert f"grant {made['grant']['grant_id']} of request {made['id']}  {made['expires_at']}" in printed
    assert "by arn:aws:iam::111122223333:root" in printed
    assert "the key itself: no use since 2030-01-01T12:00:00Z, when KMS began to look" in lines
    assert lines[-2].startswith(f"grant_with_decrypt [{scene.grantee('data_reader')}]: grants that let")
    assert lines[-1].endswith("grants: 2, broker grants: 1, service grants: 0, foreign grants: 1")


def test_the_command_says_what_kms_refused(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal is told in one line, with exit code 1; what is no key's ARN is not asked about."""
    with scene.faults({"kms": refused("AccessDeniedException")}):
        assert on_the_command_line(scene) == 1
    assert "grant-broker access: AccessDeniedException" in capsys.readouterr().err
    assert main(["access", "--from-kms", "alias/partner-data"]) == 2
    assert "give a key's ARN" in capsys.readouterr().err
