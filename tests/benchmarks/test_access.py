"""What an access report on 50,000 grants costs: printed in seconds, asserted in ratios."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from grant_broker.access_report import AccessTally, KeyPolicies
from grant_broker.aws.kms import listed_grant
from grant_broker.keys.access import get_first_page, get_next_page
from tests.benchmarks.access import EXPIRY, KEY, MOST, entry, full_key
from tests.local_stack.brokers import Brokers
from tests.support.reports import Report


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
    """The founding key, full; time stands still, so that the first page has the time to read all of it."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    with full_key(lambda: now) as brokers:
        yield brokers


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
