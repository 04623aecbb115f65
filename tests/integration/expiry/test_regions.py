"""Keys of several Regions: each has its rate, its workers and its outages for itself."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

from grant_broker.domain.lifecycle import Status
from grant_broker.expiry.run import run
from grant_broker.expiry.stream import end_at_once
from tests.support.backlog import ELSEWHERE, HOME, SECOND, START, Backlog
from tests.support.inline import Inline
from tests.support.quota_kms import QuotaKms
from tests.support.records import KEY

THERE = KEY.replace(HOME, ELSEWHERE)


def ended_there(backlog: Backlog) -> list[float]:
    """How many seconds after the start each grant of the other Region was ended."""
    return [(at - START).total_seconds() for at in backlog.kms_in[ELSEWHERE].ended.values()]


def test_each_region_has_the_whole_rate() -> None:
    """As many are ended a second in each, since KMS's quotas are by Region."""
    backlog = Backlog(rate=10)
    backlog.add([-1] * 60)
    backlog.add([-1] * 60, key_arn=THERE, first=61)
    backlog.process(5.5)()
    assert len(backlog.kms.ended) == len(ended_there(backlog)) == 60
    assert backlog.kms.busiest("RetireGrant") == backlog.kms_in[ELSEWHERE].busiest("RetireGrant") == 10


def test_the_shared_rate_is_by_region() -> None:
    """The home Region's lease and counters are named as they were; another Region's have its name."""
    backlog = Backlog(rate=10)
    backlog.add([-1])
    backlog.add([-1], key_arn=THERE, first=2)
    backlog.process(0.5)()
    partitions = {key[0] for key in backlog.database.tables["requests"].items if key[0].startswith("rate#")}
    assert partitions == {
        "rate#lease", "rate#lease#eu-west-1", f"rate#retire#{SECOND}", f"rate#retire#eu-west-1#{SECOND}",
    }  # fmt: skip


class Stuck(Inline):
    """Takes work and never comes to an end with it, as while KMS does not answer."""

    def submit(self, *_work: Any, **_named: Any) -> Future[Any]:
        """Never done."""
        return Future()


def run_without_home(backlog: Backlog, seconds: float = 10) -> list[Executor]:
    """Run `expiry` while no end of the home Region comes to an end; the pools that it made."""
    pools: list[Executor] = []
    until = START.timestamp() + seconds

    def pool(workers: int) -> Executor:
        # The first is the home Region's.
        pools.append(Inline(workers) if pools else Stuck(workers))
        return pools[-1]

    run(backlog.broker(), lambda: 10 + until - backlog.clock.now.timestamp(), pool=pool)
    return pools


def test_an_outage_holds_up_no_other_region() -> None:
    """While every worker of one Region waits for KMS there, the others end each grant in its own second."""
    backlog = Backlog(rate=10, smallest_duration=1)
    backlog.add([-1] * 20)
    backlog.add([0, 1, 3, 8], key_arn=THERE, first=100)
    run_without_home(backlog)
    assert (ended_there(backlog), backlog.kms.ended) == ([0, 1, 3, 8], {})


def test_a_backlog_hides_no_other_region() -> None:
    """More is due in one Region than a look takes; what another has due before or after ends all the same."""
    backlog = Backlog(rate=10, smallest_duration=1)
    backlog.add([-10] * 2500)
    backlog.add([-5, 1, 2, 3, 4, 8], key_arn=THERE, first=3000)
    run_without_home(backlog)
    assert ended_there(backlog) == [0, 1, 2, 3, 4, 8]


def test_what_is_read_again_is_ended_once() -> None:
    """What one look shows twice, among the earliest and past a backlog, is one end."""
    backlog = Backlog(rate=10, smallest_duration=1)
    backlog.add([-5] * 2, key_arn=THERE, first=3000)
    backlog.add([-1] * 2500)
    run_without_home(backlog)
    assert backlog.kms_in[ELSEWHERE].total("RetireGrant") == 2


def test_made_up_regions_share_their_workers() -> None:
    """Records of any number of Regions that are not the stack's take the workers of one."""
    backlog = Backlog(smallest_duration=1)
    for number in range(4):
        region = f"xx-{number}"
        backlog.kms_in[region] = QuotaKms(backlog.clock, backlog.quota)
        backlog.add([0], key_arn=KEY.replace(HOME, region), first=number + 1)
    assert len(run_without_home(backlog, 4)) == 4
    assert all(kms.ended for region, kms in backlog.kms_in.items() if region.startswith("xx-"))


def test_the_stream_tries_other_regions_first() -> None:
    """Where KMS fails in one Region, what else is of that Region waits for all others, and is tried then."""
    backlog, tried = Backlog(), list[str]()
    ids = backlog.add([0] * 2, status=Status.ENDING)
    ids += backlog.add([0] * 2, status=Status.ENDING, key_arn=THERE, first=3)
    backlog.kms.refused["RetireGrant"] = "DependencyTimeoutException"
    for region, kms in backlog.kms_in.items():
        kms.retire_grant = partial(_note, tried, region, kms.retire_grant)  # type: ignore[method-assign]
    keys = dict(zip(ids, [KEY, KEY, THERE, THERE], strict=True))
    assert end_at_once(backlog.broker(), keys) == []
    assert tried == [HOME, ELSEWHERE, ELSEWHERE, HOME]


def _note(tried: list[str], region: str, call: Callable[..., Any], **given: Any) -> Any:
    tried.append(region)
    return call(**given)
