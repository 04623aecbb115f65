"""What lies in the mails' queue: notices, and calls that EventBridge's rule put there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grant_broker.domain.mail import compose_digest
from grant_broker.domain.queued_notices import read_notice
from tests.support.announcements import told_of


@pytest.mark.parametrize(
    ("service", "name", "advice"),
    [
        ("kms", "PutKeyPolicy", "compare GET /security/keys with the key's policy"),
        ("kms", "CreateGrant", "GET /security/keys/{key_id}/access"),
        ("dynamodb", "UpdateTable", "set the table back"),
        ("iam", "PutRolePolicy", "treat the function of that role as taken over"),
    ],
)
def test_a_watched_call_s_next_step(service: str, name: str, advice: str) -> None:
    """Each mail about a call says what to do if nobody planned it."""
    call = {"detail": {"eventSource": f"{service}.amazonaws.com", "eventName": name}}
    assert advice in read_notice(json.dumps(call)).text


def test_a_watched_call_is_told() -> None:
    """What EventBridge's rule put into the queue is told with who called, and with what."""
    call = {
        "source": "aws.kms", "detail-type": "AWS API Call via CloudTrail", "time": "2026-03-01T12:00:00Z",
        "detail": {
            "eventName": "PutKeyPolicy", "userIdentity": {"arn": "arn:aws:iam::111122223333:user/eve"},
            "requestParameters": {"keyId": "1234", "policy": "x" * 1000}, "errorCode": "AccessDenied",
            "resources": [{"ARN": "arn:aws:kms:eu-central-1:111122223333:key/1234"}],
        },
    }  # fmt: skip
    notice = read_notice(json.dumps(call))
    assert notice.title == "a watched call"
    assert 'a watched call ("PutKeyPolicy")' in notice.text
    assert 'By: "arn:aws:iam::111122223333:user/eve"' in notice.text
    assert 'Refused: "AccessDenied"' in notice.text
    assert 'On: "arn:aws:kms:eu-central-1:111122223333:key/1234"' in notice.text
    assert len(notice.text) < 1_000
    assert compose_digest([told_of("drift"), notice]).subject == "Grant broker: a watched call, drift"
    bare = read_notice(json.dumps({"detail": {"eventName": "EnableKey"}}))
    assert 'By: "unknown"' in bare.text
    assert "Refused" not in bare.text


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_whatever_lies_in_the_queue_becomes_a_notice(body: str) -> None:
    """No message stops the others from being mailed, and none is told as the broker's own words."""
    notice = read_notice(body)
    assert notice.title in {"an unreadable message", "a watched call"}
    assert compose_digest([notice, told_of()]).message.isascii()
