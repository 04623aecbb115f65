"""What KMS shows: parameters as the API wants them, page after page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grant_broker.aws.kms import KmsReader, listed_grant
from grant_broker.domain.errors import KmsRefused
from grant_broker.domain.key_usage import LastUse
from grant_broker.domain.listed_grant import ListedGrant
from tests.support.one_kms import REGION, one_kms
from tests.support.scripted_client import Script, refusal

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
ROLE = "arn:aws:iam::444455556666:role/writer"
MADE = datetime(2026, 1, 1, tzinfo=UTC)
ENTRY: Any = {"GrantId": "g1", "KeyId": KEY, "CreationDate": MADE}
GONE = refusal("NotFoundException")


def kms(*answers: Any) -> tuple[KmsReader, Script]:
    """KMS that answers so, and its client."""
    script = Script(*answers)
    return KmsReader(one_kms(script)), script


def test_lists() -> None:
    """Lists are read page after page, each with the marker of the one before."""
    pages = (
        {"Grants": [ENTRY], "Truncated": True, "NextMarker": "m"},
        {"Grants": [{**ENTRY, "GrantId": "g2"}], "Truncated": False},
    )
    calls, script = kms(*pages)
    assert calls.list_retirable_page("role", REGION)[1] == "m"
    assert [grant.grant_id for grant in calls.list_retirable_page("role", REGION, marker="m")[0]] == ["g2"]
    assert script.calls == [
        ("list_retirable_grants", {"RetiringPrincipal": "role", "Limit": 100}),
        ("list_retirable_grants", {"RetiringPrincipal": "role", "Limit": 100, "Marker": "m"}),
    ]
    calls, script = kms({"Grants": []})
    assert list(calls.list_grants_of(key_arn=KEY, grantee=ROLE)) == []
    assert script.calls == [("list_grants", {"KeyId": KEY, "GranteePrincipal": ROLE, "Limit": 100})]


def test_grants_of_the_gone() -> None:
    """A key or a grantee that is gone has no grants; every other refusal surfaces."""
    for code in ("NotFoundException", "InvalidArnException"):
        assert list(kms(refusal(code))[0].list_grants_of(key_arn=KEY, grantee=ROLE)) == []
    with pytest.raises(KmsRefused):
        list(kms(refusal("AccessDeniedException"))[0].list_grants_of(key_arn=KEY, grantee=ROLE))


def test_grant() -> None:
    """One grant is looked up by its id; what KMS leaves out of it is empty."""
    calls, script = kms({"Grants": [ENTRY]}, {"Grants": []}, GONE)
    assert calls.find_grant(key_arn=KEY, grant_id="g1") == ListedGrant("g1", KEY, "", "", None, (), {}, MADE)
    assert script.calls[0][1]["GrantId"] == "g1"
    assert calls.find_grant(key_arn=KEY, grant_id="g1") is None
    assert calls.find_grant(key_arn=KEY, grant_id="g1") is None
    full = {
        **ENTRY, "Name": "n", "GranteePrincipal": ROLE, "RetiringPrincipal": "r", "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextEquals": {"a": "b"}}, "IssuingAccount": "i",
    }  # fmt: skip
    shown = kms({"Grants": [full]})[0].find_grant(key_arn=KEY, grant_id="g1")
    assert shown == ListedGrant(
        "g1", KEY, "n", ROLE, "r", ("Encrypt",), {"EncryptionContextEquals": {"a": "b"}}, MADE, "i"
    )


def test_entries() -> None:
    """A page of a key's grants is read with where the next one starts."""
    calls, script = kms(
        {"Grants": [ENTRY], "Truncated": True, "NextMarker": "m"}, {"Grants": [], "Truncated": False}
    )
    assert calls.list_grants_page(KEY, limit=5) == ([listed_grant(ENTRY)], "m")
    assert calls.list_grants_page(KEY, marker="m") == ([], None)
    assert [call[1] for call in script.calls] == [
        {"KeyId": KEY, "Limit": 5},
        {"KeyId": KEY, "Limit": 100, "Marker": "m"},
    ]


def test_key() -> None:
    """A key's metadata and policy are read as KMS has them."""
    with pytest.raises(KmsRefused):
        kms(GONE)[0].describe_key(KEY)
    assert kms({"KeyMetadata": {"KeyId": "1"}})[0].describe_key(KEY) == {"KeyId": "1"}
    calls, script = kms({"Policy": "{}"})
    assert calls.get_key_policy(KEY) == "{}"
    assert script.calls == [("get_key_policy", {"KeyId": KEY, "PolicyName": "default"})]


def test_a_service() -> None:
    """A grant to an AWS service is shown with its name; one without a date is as if it were made now."""
    entry: Any = {"GrantId": "g1", "KeyId": KEY, "GranteeServicePrincipal": "rds.amazonaws.com"}
    read = listed_grant(entry)
    assert (read.grantee, read.account) == ("rds.amazonaws.com", None)
    assert abs(read.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_counts_list_grants() -> None:
    """Each page of ListGrants counts towards its quota, and no other call does."""
    calls, _ = kms({"Grants": [ENTRY], "Truncated": True, "NextMarker": "m"}, {"Grants": []})
    assert calls.find_grant(key_arn=KEY, grant_id="g1") is not None
    calls.list_grants_page(KEY)
    assert calls.listed.take() == 2
    calls, _ = kms({"Grants": []})
    calls.list_retirable_page("role", REGION)
    assert calls.listed.take() == 0


def test_last_use() -> None:
    """KMS tells operation, time and CloudTrail's event of a key's last use, or since when it saw none."""
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html: an empty KeyLastUsage is
    # "not used since tracking began".
    usage = {"Operation": "Encrypt", "Timestamp": MADE, "CloudTrailEventId": "e", "KmsRequestId": "r"}
    began = MADE - timedelta(days=1)
    calls, script = kms({"KeyLastUsage": usage, "TrackingStartDate": began, "KeyCreationDate": MADE})
    assert calls.find_last_use(KEY) == LastUse(MADE, "Encrypt", MADE, "e")
    assert script.calls == [("get_key_last_usage", {"KeyId": KEY})]
    assert kms({"KeyLastUsage": {}, "TrackingStartDate": began})[0].find_last_use(KEY) == LastUse(began)
    assert kms({})[0].find_last_use(KEY) == LastUse(None)


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotFoundException", "KMSInternalException"])
def test_no_last_use(code: str) -> None:
    """Where KMS does not tell, nothing is known of a key's last use, and nothing fails."""
    assert kms(refusal(code))[0].find_last_use(KEY) is None


def test_an_older_botocore_asks_nothing() -> None:
    """A client that does not know the question yet costs nothing but the answer."""
    assert KmsReader(object()).find_last_use(KEY) is None  # type: ignore[arg-type]
