"""The checks of `grant-broker doctor` where a running stack does not lead."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from grant_broker.client.doctor.account import Account, Stack
from grant_broker.client.doctor.checks import CHECKS
from grant_broker.client.doctor.examination import Patient, examine
from grant_broker.client.doctor.findings import Finding, State
from grant_broker.client.errors import NoAnswerError

_NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1"


def patient(**changes: Any) -> Patient:
    """A stack whose account and API are mocks."""
    stack = Stack("broker", "CREATE_COMPLETE", {"AlarmTopicArn": "arn:topic"}, {"EndRate": "40"})
    given: dict[str, Any] = {"stack": stack, "account": mock.Mock(), "api_url": None, "security": mock.Mock()}
    return Patient(**(given | {"now": _NOW, "dollars_a_day": 1.0} | changes))


def found(check: str, subject: Patient) -> list[Finding]:
    """What one check finds."""
    return [finding for _, finding in examine(subject, {check: CHECKS[check]})]


def checked(**changes: Any) -> mock.Mock:
    """An API with one key, whose one check is so."""
    check = {"function": "expiry", "result": "passed", "at": None, "missing": [], "next_at": None} | changes
    security = mock.Mock()
    security.list_keys.return_value = [{"key_arn": _KEY}]
    security.get_checks.return_value = {"grantable": None, "checks": [check]}
    return security


def test_no_key() -> None:
    """Without a key there is nothing to find fault with."""
    security = mock.Mock()
    security.list_keys.return_value = []
    assert [each.state for each in found("keys", patient(security=security))] == [State.WELL]


@pytest.mark.parametrize(("late", "state"), [(9, State.WELL), (11, State.FAULT)])
def test_checks_that_are_not_made(late: int, state: State) -> None:
    """A check that was due more than ten minutes ago is a fault whatever it said before."""
    due = (_NOW - timedelta(minutes=late)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [each.state for each in found("keys", patient(security=checked(next_at=due)))] == [state]


def test_a_check_that_is_not_certain() -> None:
    """What a check could not tell is not known."""
    assert [each.state for each in found("keys", patient(security=checked(result=None)))] == [State.UNKNOWN]


def test_no_alarm() -> None:
    """A stack without an alarm is not the broker's."""
    account = mock.Mock()
    account.list_alarm_names.return_value = []
    account.list_alarms.return_value = {}
    assert [each.state for each in found("alarms", patient(account=account))] == [State.FAULT]


def test_quotas_without_the_rates() -> None:
    """A rate that Service Quotas does not name is not known."""
    account = mock.Mock()
    account.list_quotas.return_value = {"CreateGrant request rate": 50.0}
    assert [each.state for each in found("rates", patient(account=account))] == [State.UNKNOWN]


def test_nothing_is_booked() -> None:
    """A day without a cost under the stack's name is not known, since it cannot be told from no tag."""
    client = mock.Mock()
    total = {"Total": {"UnblendedCost": {"Amount": "0"}}}
    client.get_cost_and_usage.return_value = {"ResultsByTime": [total]}
    subject = patient(account=Account(lambda *_, **__: client))
    assert [each.state for each in found("cost", subject)] == [State.UNKNOWN]
    period = client.get_cost_and_usage.call_args.kwargs["TimePeriod"]
    assert period == {"Start": "2026-01-30", "End": "2026-01-31"}


@pytest.mark.parametrize("check", ["roles", "subscriptions", "rates", "api"])
def test_a_stack_that_says_too_little(check: str) -> None:
    """A check whose output or parameter is missing does not know, and says which."""
    subject = patient(stack=Stack("other", "CREATE_COMPLETE", {}, {}))
    [finding] = found(check, subject)
    assert finding.state is State.UNKNOWN
    assert finding.words.startswith("the stack has no ")


def test_a_function_that_does_not_answer() -> None:
    """A signed call without an answer is a fault of the API."""
    security = mock.Mock()
    security.list_keys.side_effect = NoAnswerError("no answer")
    subject = patient(api_url="http://127.0.0.1:9", security=security)
    with mock.patch("grant_broker.client.doctor.checks.URLLib3Session") as session:
        session.return_value.send.return_value.status_code = 403
        assert [each.state for each in found("api", subject)] == [State.WELL, State.FAULT]


def test_a_role_that_cannot_be_read() -> None:
    """IAM's refusal is not taken for a role that does not exist."""
    client = mock.Mock()
    client.get_role.side_effect = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetRole")
    stack = Stack("broker", "CREATE_COMPLETE", {"RequestsRoleArn": "arn:aws:iam::1:role/a"}, {})
    subject = patient(stack=stack, account=Account(lambda *_, **__: client))
    assert [each.state for each in found("roles", subject)] == [State.UNKNOWN]


def selectors(*fields: dict[str, Any]) -> dict[str, Any]:
    """Advanced event selectors of these fields."""
    return {"AdvancedEventSelectors": [{"FieldSelectors": list(fields)}]}


_MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


@pytest.mark.parametrize(
    ("answer", "keeps"),
    [
        (selectors(_MANAGEMENT), True),
        (selectors(_MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}), True),
        (selectors(_MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}), False),
        (selectors(_MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}), False),
        (selectors({"Field": "eventCategory", "Equals": ["Data"]}), False),
        (
            {
                "EventSelectors": [
                    {
                        "IncludeManagementEvents": True,
                        "ReadWriteType": "All",
                        "ExcludeManagementEventSources": ["kms.amazonaws.com"],
                    }
                ]
            },
            False,
        ),
    ],
)
def test_what_a_trail_keeps(answer: dict[str, Any], keeps: bool) -> None:  # noqa: FBT001 - a case's value
    """Writes of management count, KMS's among them, by simple and by advanced selectors."""
    client = mock.Mock()
    client.describe_trails.return_value = {"trailList": [{"Name": "t", "TrailARN": "arn:t"}]}
    client.get_trail_status.return_value = {"IsLogging": True}
    client.get_event_selectors.return_value = answer
    [trail] = Account(lambda *_, **__: client).list_trails()
    assert trail.keeps_management_writes is keeps


def test_a_trust_policy_that_is_read_already() -> None:
    """Botocore reads a trust policy by itself; its text is taken too."""
    client = mock.Mock()
    trust = {"Statement": [{"Principal": {"Service": "lambda.amazonaws.com"}}]}
    client.get_role.side_effect = [{"Role": {"AssumeRolePolicyDocument": each}} for each in (trust, "%7B%7D")]
    account = Account(lambda *_, **__: client)
    assert [account.find_trust("arn:aws:iam::1:role/a") for _ in range(2)] == cast("Any", [trust, {}])
