"""What an access report on 50,000 grants waits for: its first page, and findings and counts over all."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from moto.moto_api._internal.models import moto_api_backend

from grant_broker.keys.access import AccessPage, get_first_page, get_next_page
from tests.benchmarks.cold_start import Options
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.processes import apart
from tests.local_aws.cloud import Cloud
from tests.local_stack.brokers import Brokers
from tests.local_stack.deployment import Deployment

MOST = 50_000
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
EXPIRY = "arn:aws:iam::111122223333:role/broker-expiry"
_KMS = 0.010  # seconds that KMS takes for a page besides what the local one takes
_WHOLE = 20.0  # seconds that the page with findings and counts over all may take


def report(_options: Options) -> list[Figure]:
    """Seconds until the first page, and until the findings and counts over all grants, which the next has."""
    [figures] = apart([_report])
    return figures


def _report() -> list[Figure]:
    with full_key(time_now) as brokers:
        broker, key = brokers.broker("approvals"), brokers.deployment.keys["partner_data"]
        broker.kms.list_grants_page = _slowed(broker.kms.list_grants_page)  # type: ignore[method-assign]
        first, until_first = _timed(lambda: get_first_page(broker, key, limit=100))
        place = first.after
        if place is None:
            raise ValueError("50,000 grants are on one page")
        second, until_second = _timed(lambda: get_next_page(broker, key, limit=100, after=place))
    known = first if first.report and first.report.counts else second
    if known.report is None or known.report.counts["grants"] != MOST:
        raise ValueError("not every grant is counted")
    whole = until_first if known is first else until_first + until_second
    return [
        Figure(
            "access report on 50,000 grants: first page", until_first, Target(2.0), 0.0, until_first, 1.0, "s"
        ),
        Figure("access report on 50,000 grants: all findings", whole, Target(_WHOLE), 0.0, whole, 1.0, "s"),
    ]


def time_now() -> datetime:
    """The present time."""
    return datetime.now(UTC)


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


@contextmanager
def full_key(clock: Callable[[], datetime]) -> Iterator[Brokers]:
    """The founding key with as many grants as KMS allows, put there without asking who may."""
    deployment = Deployment.create(Cloud(clock))
    key = deployment.keys["partner_data"]
    kms = deployment.cloud.kms
    principal = deployment.cloud.directory.principals[str(deployment.people["partner"].grantee)]
    for number in range(MOST):
        shown = {**entry(number), "KeyId": key, "GranteePrincipal": principal.arn}
        parameters = {name: shown[name] for name in shown if name not in {"GrantId", "IssuingAccount"}}
        ids = (principal.unique_id, None)
        kms.access.grants.create(kms.keys[key].grants, parameters, ids, "111122223333", clock())
    try:
        yield Brokers(deployment, clock, lambda _seconds: None)
    finally:
        moto_api_backend.reset()


def _slowed(page: Callable[..., Any]) -> Callable[..., Any]:
    def slowed(*given: Any, **named: Any) -> Any:
        time.sleep(_KMS)
        return page(*given, **named)

    return slowed


def _timed(work: Callable[[], AccessPage]) -> tuple[AccessPage, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
