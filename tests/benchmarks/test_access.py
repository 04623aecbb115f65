"""What an access report on 50,000 grants costs: printed in seconds, asserted in ratios."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.access_report import AccessTally, KeyPolicies
from grant_broker.aws.kms import listed_grant
from grant_broker.keys.access import get_first_page, get_next_page
from tests.local_aws.cloud import Cloud
from tests.local_stack.brokers import Brokers
from tests.local_stack.deployment import Deployment
from tests.support.reports import Report

MOST = 50_000
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
EXPIRY = "arn:aws:iam::111122223333:role/broker-expiry"


def entry(number: int) -> Any:
    """A grant of the broker, every tenth of a thousand grantees somebody else's."""
    ours = number % 10
    return {
        "GrantId": f"{number:064x}", "KeyId": KEY,
        "Name": f"grant-broker/{number:032x}/1900000000" if ours else "by-hand",
        "GranteePrincipal": f"arn:aws:iam::444455556666:role/application-{number % 1000}",
        "RetiringPrincipal": EXPIRY, "IssuingAccount": "arn:aws:iam::111122223333:root",
        "Operations": ["Encrypt", "GenerateDataKey"],
        "Constraints": {"EncryptionContextEquals": {"number": str(number)}},
    }  # fmt: skip


def tallied(count: int) -> Callable[[], object]:
    """The report over so many grants, without KMS."""
    grants = [listed_grant(entry(number)) for number in range(count)]
    statement = {"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*"}

    def work() -> object:
        tally = AccessTally(KEY, retiring_principal=EXPIRY)
        for grant in grants:
            tally.add(grant)
        return tally.report(KeyPolicies({"Statement": [statement]}))

    return work


def seconds(work: Callable[[], object]) -> float:
    """Seconds of the fastest of three runs."""
    rounds = []
    for _ in range(3):
        start = time.process_time()
        work()
        rounds.append(time.process_time() - start)
    return min(rounds)


def test_the_report_grows_with_the_grants_alone(report: Report) -> None:
    """Ten times the grants cost at most twenty times as much."""
    few, many = seconds(tallied(MOST // 10)), seconds(tallied(MOST))
    words = f"access report, without KMS: {MOST // 10:,} grants {few:.2f} s, {MOST:,} grants {many:.2f} s"
    report.append(("speed", [words]))
    assert many < 20 * few


@pytest.fixture
def full() -> Iterator[Brokers]:
    """The founding key with as many grants as KMS allows, put there without asking who may."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    deployment = Deployment.create(Cloud(lambda: now))
    key = deployment.keys["partner_data"]
    kms = deployment.cloud.kms
    principal = deployment.cloud.directory.principals[str(deployment.people["partner"].grantee)]
    for number in range(MOST):
        shown = {**entry(number), "KeyId": key, "GranteePrincipal": principal.arn}
        parameters = {name: shown[name] for name in shown if name not in {"GrantId", "IssuingAccount"}}
        ids = (principal.unique_id, None)
        kms.access.grants.create(kms.keys[key].grants, parameters, ids, "111122223333", now)
    yield Brokers(deployment, lambda: now, lambda _seconds: None)
    moto_api_backend.reset()


def test_the_first_answer_reads_every_grant(full: Brokers, report: Report) -> None:
    """Findings and counts over 50,000 grants of the strict local KMS, page after page; then the next page."""
    broker, key = full.broker("approvals"), full.deployment.keys["partner_data"]
    start, used = time.perf_counter(), time.process_time()
    page = get_first_page(broker, key, limit=100)
    first, cpu = time.perf_counter() - start, time.process_time() - used
    assert page.report is not None
    assert page.report.counts["grants"] == MOST
    assert page.after is not None
    start = time.perf_counter()
    page = get_next_page(broker, key, limit=100, after=page.after)
    second = time.perf_counter() - start
    assert len(page.entries) == 100
    words = f"access report, {MOST:,} grants through the local KMS: first answer {first:.1f} s"
    words += f" ({cpu:.1f} s of processor), each further page {second:.3f} s"
    report.append(("speed", [words]))
    # 500 pages make the first answer.
    assert second < first / 20
