"""KMS: parameters as the API wants them, and errors told apart by the call's effect."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from grant_broker.aws.clients import dynamodb_client, kms_client, reading_kms_client, session
from grant_broker.aws.kms import Grant, Kms
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain
from grant_broker.domain.scope import ContextMatch, Scope
from tests.support.scripted_client import Script, refusal

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
ROLE = "arn:aws:iam::444455556666:role/writer"
ENTRY = {"GrantId": "g1", "KeyId": KEY}
GONE = refusal("NotFoundException")


def kms(*answers: Any) -> tuple[Kms, Script]:
    """KMS that answers so, and its client."""
    script = Script(*answers)
    return Kms(script), script  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("match", "kind"), [("equals", "EncryptionContextEquals"), ("subset", "EncryptionContextSubset")]
)
def test_create(match: str, kind: str) -> None:
    """CreateGrant is asked for exactly the scope, with its name and its retiring principal."""
    calls, script = kms({"GrantId": "g1", "GrantToken": "token"})
    scope = Scope(
        operations=("Encrypt", "DescribeKey"),
        encryption_context={"a": "b"},
        context_match=ContextMatch(match),
    )
    assert calls.create_grant(key_arn=KEY, grantee=ROLE, retiring_principal="r", scope=scope, name="n") == (
        "g1",
        "token",
    )
    assert script.calls == [
        (
            "create_grant",
            {
                "KeyId": KEY, "GranteePrincipal": ROLE, "RetiringPrincipal": "r", "Name": "n",
                "Operations": ["Encrypt", "DescribeKey"], "Constraints": {kind: {"a": "b"}},
            },
        )
    ]  # fmt: skip


def test_end() -> None:
    """A grant is ended by its id on its key."""
    calls, script = kms({})
    calls.retire(key_arn=KEY, grant_id="g1")
    calls.revoke(key_arn=KEY, grant_id="g1")
    assert script.calls == [
        (name, {"KeyId": KEY, "GrantId": "g1"}) for name in ("retire_grant", "revoke_grant")
    ]


@pytest.mark.parametrize("name", ["retire", "revoke"])
def test_end_of_nothing(name: str) -> None:
    """A grant that KMS does not know is told apart from every other refusal."""
    with pytest.raises(GrantNotFound):
        getattr(kms(GONE)[0], name)(key_arn=KEY, grant_id="g1")
    with pytest.raises(KmsRefused) as refused:
        getattr(kms(refusal("AccessDeniedException"))[0], name)(key_arn=KEY, grant_id="g1")
    assert refused.value.code == "AccessDeniedException"
    for lost in (
        refusal("KMSInternalException", 500),
        refusal("ThrottlingException"),
        ReadTimeoutError(endpoint_url="x"),
    ):
        with pytest.raises(KmsUncertain):
            getattr(kms(lost)[0], name)(key_arn=KEY, grant_id="g1")


def test_create_on_nothing() -> None:
    """A key that is not there is a refusal of CreateGrant and DescribeKey."""
    scope = Scope(operations=("Encrypt",), encryption_context={"a": "b"})
    with pytest.raises(KmsRefused):
        kms(GONE)[0].create_grant(key_arn=KEY, grantee=ROLE, retiring_principal="r", scope=scope, name="n")
    with pytest.raises(KmsRefused):
        kms(GONE)[0].describe(KEY)


def test_lists() -> None:
    """Lists are read page after page, each with the marker of the one before."""
    pages = (
        {"Grants": [ENTRY], "Truncated": True, "NextMarker": "m"},
        {"Grants": [{**ENTRY, "GrantId": "g2"}], "Truncated": False},
    )
    calls, script = kms(*pages)
    assert [grant.grant_id for grant in calls.retirable_by("role")] == ["g1", "g2"]
    assert script.calls == [
        ("list_retirable_grants", {"RetiringPrincipal": "role", "Limit": 100}),
        ("list_retirable_grants", {"RetiringPrincipal": "role", "Limit": 100, "Marker": "m"}),
    ]
    calls, script = kms({"Grants": []})
    assert list(calls.grants_of(key_arn=KEY, grantee=ROLE)) == []
    assert script.calls == [("list_grants", {"KeyId": KEY, "GranteePrincipal": ROLE, "Limit": 100})]


def test_grants_of_the_gone() -> None:
    """A key or a grantee that is gone has no grants; every other refusal surfaces."""
    for code in ("NotFoundException", "InvalidArnException"):
        assert list(kms(refusal(code))[0].grants_of(key_arn=KEY, grantee=ROLE)) == []
    with pytest.raises(KmsRefused):
        list(kms(refusal("AccessDeniedException"))[0].grants_of(key_arn=KEY, grantee=ROLE))


def test_grant() -> None:
    """One grant is looked up by its id; what KMS leaves out of it is empty."""
    calls, script = kms({"Grants": [ENTRY]}, {"Grants": []}, GONE)
    assert calls.grant(key_arn=KEY, grant_id="g1") == Grant("g1", KEY, "", "", None, (), {}, None, None)
    assert script.calls[0][1]["GrantId"] == "g1"
    assert calls.grant(key_arn=KEY, grant_id="g1") is None
    assert calls.grant(key_arn=KEY, grant_id="g1") is None
    made = datetime(2026, 1, 1, tzinfo=UTC)
    full = {
        **ENTRY, "Name": "n", "GranteePrincipal": ROLE, "RetiringPrincipal": "r", "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextEquals": {"a": "b"}}, "CreationDate": made, "IssuingAccount": "i",
    }  # fmt: skip
    shown = kms({"Grants": [full]})[0].grant(key_arn=KEY, grant_id="g1")
    assert shown == Grant(
        "g1", KEY, "n", ROLE, "r", ("Encrypt",), {"EncryptionContextEquals": {"a": "b"}}, made, "i"
    )


def test_entries() -> None:
    """A page of a key's grants is shown as KMS shows it, with where the next one starts."""
    calls, script = kms(
        {"Grants": [ENTRY], "Truncated": True, "NextMarker": "m"}, {"Grants": [], "Truncated": False}
    )
    assert calls.entries(KEY, limit=5) == ([ENTRY], "m")
    assert calls.entries(KEY, marker="m") == ([], None)
    assert [call[1] for call in script.calls] == [
        {"KeyId": KEY, "Limit": 5},
        {"KeyId": KEY, "Limit": 100, "Marker": "m"},
    ]


def test_key() -> None:
    """A key's metadata and policy are read as KMS has them."""
    assert kms({"KeyMetadata": {"KeyId": "1"}})[0].describe(KEY) == {"KeyId": "1"}
    calls, script = kms({"Policy": "{}"})
    assert calls.key_policy(KEY) == "{}"
    assert script.calls == [("get_key_policy", {"KeyId": KEY, "PolicyName": "default"})]


def test_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """KMS is never asked twice by the SDK where it changes something, and given up after 3 s."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    session.cache_clear()
    attempts = [
        (client.meta.config.retries["total_max_attempts"], client.meta.config.read_timeout)  # type: ignore[attr-defined]
        for client in (kms_client(), reading_kms_client(), dynamodb_client())
    ]
    assert attempts == [(1, 3), (8, 5), (3, 3)]
    assert session() is session()
    session.cache_clear()


def test_try() -> None:
    """A dry run ends well in one error only; no answer, another refusal and a real grant are told apart."""
    scope = Scope(operations=("Encrypt",), encryption_context={"a": "b"})

    def tried(answer: Any) -> Script:
        calls, script = kms(answer)
        calls.try_grant(key_arn=KEY, grantee=ROLE, retiring_principal="r", scope=scope)
        return script

    assert tried(refusal("DryRunOperationException")).calls[0][1]["DryRun"] is True
    for answer, kind in (
        (refusal("AccessDeniedException"), KmsRefused),
        (refusal("Throttling"), KmsUncertain),
    ):
        with pytest.raises(kind):
            tried(answer)
    with pytest.raises(KmsUncertain):
        tried({"GrantId": "g1", "GrantToken": "t"})
