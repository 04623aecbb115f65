"""The Python client against the stack: as a third party and as the security team would use it."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.client import Client, ConflictError, NotFoundError, NotGrantedError, NotPermittedError
from grant_broker.client.asked import StandingApproval, Submission
from tests.end_to_end.conftest import Running
from tests.support.limits import limits

CONTEXT = {"dataset": "client"}
Asked = Callable[..., Submission]


@pytest.fixture(autouse=True)
def local_aws(stack: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """KMS and STS of the stack, as anybody points boto3 elsewhere; the broker by its environment variable."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.ready["aws_url"])
    monkeypatch.setenv("GRANT_BROKER_URL", stack.ready["api_url"])


def asked(**changes: Any) -> Submission:
    """What the third party asks for."""
    fine: Any = {
        "key": "partner_data",
        "operations": ["Encrypt"],
        "encryption_context": CONTEXT,
        "duration": "2h",
        "reason": "nightly upload",
        **changes,
    }
    found: Submission = fine
    return found


@pytest.fixture
def alice(stack: Running) -> Client:
    """One of the security team."""
    return Client(session=stack.session("alice"))


@pytest.fixture
def partner(stack: Running, alice: Client) -> Client:
    """A third party; whenever it would sleep until people have decided, alice approves for an hour."""

    def approve(_seconds: float) -> None:
        for request in alice.security.list_requests(
            status="pending", key="partner_data", account="444455556666"
        ):
            with suppress(ConflictError):
                shorter = timedelta(hours=1) if request["duration"] == "PT2H" else None
                alice.security.approve(request["id"], duration=shorter)

    return Client(session=stack.session("partner"), sleep=approve)


def refused(stack: Running) -> bool:
    """Whether the third party, by itself, may not encrypt."""
    kms = stack.aws("partner", "kms")
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.encrypt(KeyId=stack.key, Plaintext=b"1", EncryptionContext=CONTEXT)
    return True


def test_the_story(stack: Running, partner: Client) -> None:
    """Asked, approved, taken up, used and released in one `with`; the EC2 role reads what was encrypted."""
    assert refused(stack)
    with partner.grant(**asked()) as grant:
        assert (grant.request["duration"], grant.request["grantee"]) == ("PT1H", partner.principal)
        ciphertext = grant.encrypt(b"orders of a day")
        with pytest.raises(ClientError, match="AccessDenied"):
            grant.kms.encrypt(KeyId=stack.key, Plaintext=b"1", EncryptionContext={"dataset": "other"})
    over = stack.until("released", {"id": grant.request["id"]})
    assert over["end_reason"]
    assert refused(stack)
    read = stack.aws("data_reader", "kms").decrypt(CiphertextBlob=ciphertext, EncryptionContext=CONTEXT)
    assert read["Plaintext"] == b"orders of a day"


def test_denied(stack: Running, alice: Client) -> None:
    """A denial is raised with the approver's words."""

    def deny(_seconds: float) -> None:
        for request in alice.security.list_requests(order="answer_by", key="partner_data"):
            alice.security.deny(request["id"], comment="not this week")

    partner = Client(session=stack.session("partner"), sleep=deny)
    with pytest.raises(NotGrantedError, match=r"denied: .*not this week"), partner.grant(**asked()):
        pass


def test_step_by_step(stack: Running, partner: Client) -> None:
    """Each step by itself: offers, forecast, submission, lists, waiting, taking up, release, withdrawal."""
    assert "partner_data" in {offer["name"] for offer in partner.list_keys()}
    assert partner.forecast(**asked())["outcome"] == "wait_for_approval"
    with pytest.raises(NotPermittedError):
        next(Client(session=stack.session("outsider"), sleep=lambda _: None).list_keys())
    request = partner.submit(idempotency_key="k-1", **asked())
    assert partner.submit(idempotency_key="k-1", **asked())["id"] == request["id"]
    assert request["id"] in {each["id"] for each in partner.list_requests(status="pending")}
    assert partner.wait(request["id"])["status"] == "approved"
    assert partner.take_up(request["id"])["status"] == "active"
    assert partner.release(request["id"])["status"] == "ending"
    other = partner.submit(**asked(grantee=stack.grantee("partner")))
    assert partner.withdraw(other["id"])["status"] == "withdrawn"
    with pytest.raises(NotFoundError):
        partner.get_request("0" * 32)


def test_renewed(stack: Running, partner: Client, alice: Client) -> None:
    """A grant of seconds, covered ahead, is renewed while it is used, and both are released."""
    with partner.grant(**asked(duration="20s", encryption_context={"dataset": "renewed"})) as grant:
        first = grant.request["id"]
        grant.renew()
        assert grant.request["id"] != first
        assert grant.encrypt(b"1")
    assert stack.until("released", {"id": first})["ended_at"]
    trail = [event["type"] for event in alice.security.list_events(request=first)]
    assert trail[-1] == "released"


def test_the_security_team(partner: Client, alice: Client) -> None:
    """Decide, look, approve ahead, set limits and read reports and trails, as the API allows."""
    team = alice.security
    request = partner.submit(**asked())
    assert team.approve(request["id"], comment="fine")["status"] == "approved"
    assert team.revoke(request["id"], reason="changed my mind")["status"] == "revoked"
    assert team.get_request(request["id"])["trail"][0]["type"] == "submitted"
    ahead: StandingApproval = {
        "key": "partner_data",
        "account": "444455556666",
        "operations": ["Encrypt"],
        "encryption_context": {"dataset": "ahead"},
        "max_duration": "PT1H",
        "valid_until": (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": "every night",
    }
    approval = team.approve_ahead(**ahead)
    assert team.get_approval(approval["id"])["status"] == "active"
    assert approval["id"] in {each["id"] for each in team.list_approvals()}
    with pytest.raises(ConflictError):
        team.decide_on_approval(approval["id"], "approve")
    team.withdraw_approval(approval["id"], revoke_active=True)


def test_keys(stack: Running, alice: Client) -> None:
    """A key is registered, read with its version, changed, looked into and closed."""
    admin, team = stack.aws("key_admin", "kms"), alice.security
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    key_id = str(admin.create_key(Policy=policy)["KeyMetadata"]["KeyId"])
    assert team.put_key(key_id, limits(name="by_client", accounts=["444455556666"]))
    key, version = team.get_key(key_id)
    changed = team.put_key(key_id, {**key, "max_duration": "PT1H"}, if_match=version)
    assert changed["narrowed"] == ["max_duration", "max_continuous"]
    assert "by_client" in {each["name"] for each in team.list_keys()}
    assert team.list_proposals(key_id) == []
    assert team.get_checks(key_id)["checks"]
    assert team.get_key_policy(key_id)["diff"] == ""
    assert team.get_access(key_id)["cursor"] is None
    team.close_key(key_id)
    assert "by_client" not in {each["name"] for each in team.list_keys()}
