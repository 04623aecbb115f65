"""How fast grants end: within the rate, whoever ends any; and never slower than a share of it."""

from typing import Any

import pytest

from grant_broker.expiry.rate import EndRate, Way, claim_for_stream
from tests.simulation.injection import Fault, Kind
from tests.support.backlog import SECOND, START, Backlog, DiedError, died_at

RATE = 40
HOME = "eu-central-1"
LEASE = {"pk": {"S": "rate#lease"}, "sk": {"S": "lease"}}


def per_second(backlog: Backlog) -> list[int]:
    """How many grants ended in each second from the start on."""
    seconds = [int((at - START).total_seconds()) for at in backlog.kms.ended.values()]
    return [seconds.count(second) for second in range(max(seconds) + 1)]


def number(value: int) -> dict[str, Any]:
    """A number in DynamoDB's JSON."""
    return {"N": str(value)}


def forge_counters(backlog: Backlog, seconds: int = 200) -> None:
    """All ends of the coming seconds are said to be taken."""
    for second in range(SECOND, SECOND + seconds):
        for way in Way:
            key = {"pk": {"S": f"rate#{way}#{second}"}, "sk": {"S": "limit"}}
            backlog.put({**key, "turns": number(10**9)})


def forge_leases(backlog: Backlog, until: int) -> None:
    """Many others are said to hold leases."""
    forged = {f"{name}_{n}": number(at) for n in range(50) for name, at in (("since", 0), ("until", until))}
    backlog.put({**LEASE, **forged})


def test_a_lone_run_ends_at_the_whole_rate() -> None:
    """From its first second on, and not one more than the rate."""
    backlog = Backlog(rate=RATE, quota=RATE)
    backlog.add([-1] * 200)
    backlog.process(6)()
    assert per_second(backlog) == [RATE] * 5
    assert backlog.kms.total() == 200


def test_overlapping_runs_keep_the_rate_together() -> None:
    """Three runs that begin at odd moments: KMS, which allows the rate alone, throttles none of them."""
    backlog = Backlog(rate=RATE, quota=RATE)
    backlog.add([-5] * 600)
    work = [(after, backlog.process(20)) for after in (0, 3.4, 7.9)]
    assert backlog.clock.run(*work) == []
    ended = per_second(backlog)
    assert (sum(ended), max(ended), backlog.kms.busiest("RetireGrant")) == (600, RATE, RATE)
    # A run that joins costs no second, and two that share a backlog do not try the same ends.
    assert len(ended) <= 600 / RATE + 3
    assert backlog.kms.total("RetireGrant") == 600


def test_a_stream_beside_two_runs_keeps_the_rate() -> None:
    """Batches of the stream take from what no lease is on."""
    backlog, rate = Backlog(rate=RATE, quota=RATE), RATE
    backlog.add([-5] * 400)
    taken: list[int] = []

    def batches() -> None:
        broker = backlog.broker()
        for _ in range(8):
            claimed = claim_for_stream(broker, HOME, 10)
            taken.append(claimed)
            for _ in range(claimed):
                backlog.kms.calls["RetireGrant", int(backlog.clock.now.timestamp())] += 1
            backlog.clock.sleep(0.5)

    assert backlog.clock.run((0, backlog.process(15)), (2.5, batches), (4.1, backlog.process(10))) == []
    assert backlog.kms.busiest("RetireGrant") <= rate
    assert set(taken) <= set(range(11))


def test_a_crashed_holder_costs_a_quarter_for_seconds() -> None:
    """What it held is another's after five seconds; nothing exceeds the rate meanwhile."""
    backlog = Backlog(rate=RATE, quota=RATE)
    backlog.add([-5] * 600)
    dies = backlog.process(20, died_at(backlog.clock, 3.5))
    [error] = backlog.clock.run((0, dies), (1.5, backlog.process(40)))
    assert isinstance(error, DiedError)
    ended = per_second(backlog)
    assert sum(ended) == 600
    assert max(ended) == backlog.kms.busiest("RetireGrant") == RATE
    # Renewed for the last time in the third second, gone after the eighth.
    assert ended[4:9] == [RATE - RATE // 4] * 5
    assert ended[9] == RATE


def test_a_crash_delays_no_end_of_light_load() -> None:
    """After one of two runs died, each end is still answered within its second."""
    backlog = Backlog(rate=RATE)
    backlog.add(range(1, 30))
    backlog.clock.run((0, backlog.process(130, died_at(backlog.clock, 10))), (5.2, backlog.process(40)))
    late = [(at - START).total_seconds() - (int(grant_id, 16)) for grant_id, at in backlog.kms.ended.items()]
    assert (len(late), max(late) < 1) == (29, True)


@pytest.mark.parametrize("until", [SECOND + 5, SECOND + 10**8, -1, 10**15])
def test_forged_leases_leave_the_fair_share(until: int) -> None:
    """Whatever the item says of others, a run keeps a quarter of the rate, every second but its first."""
    backlog = Backlog(rate=RATE, quota=RATE)
    backlog.add([-1] * 400)
    forge_leases(backlog, until)
    forge_counters(backlog)
    backlog.process(20)()
    ended = per_second(backlog)
    assert ended[1:20] == [RATE // 4] * 19


@pytest.mark.parametrize(
    "forged",
    [
        {"until_x": {"S": "for ever"}, "since_x": {"M": {}}},
        {"until_x": {"N": "1.5"}, "since_y": {"N": "0"}},
        {"until_": {"L": []}, "anything": {"S": "x" * 1000}},
        {},
    ],
    ids=["types", "fractions", "names", "empty"],
)
def test_an_unreadable_lease_is_passed_over(forged: dict[str, Any]) -> None:
    """What is no lease counts for nothing: the run has the whole rate."""
    backlog = Backlog(rate=RATE, quota=RATE)
    backlog.add([-1] * 160)
    backlog.put({**LEASE, **forged})
    backlog.process(5)()
    assert per_second(backlog) == [RATE] * 4


def test_the_rate_items_do_not_answer() -> None:
    """A run goes on at a quarter of the rate: to end a little fast is better than not to end."""
    backlog = Backlog(rate=RATE)
    backlog.add([-1] * 100)
    broker = backlog.broker(lambda _: None)
    with backlog.injector.under([Fault(Kind.SERVER_ERROR, lasting=True, operation="UpdateItem")]):
        rate = EndRate(broker, HOME)
        rate.renew()
        claims = [rate.claim(Way.RETIRE, 6), rate.claim(Way.RETIRE, 100), rate.claim(Way.RETIRE, 1)]
        assert (claims, rate.claim(Way.REVOKE, 100)) == ([6, 4, 0], RATE // 4)
        rate.give_back()
        assert claim_for_stream(broker, HOME, 10) == 1
    backlog.clock.sleep(1)
    rate.renew()
    assert rate.claim(Way.RETIRE, 100) == RATE


def test_the_counter_alone_does_not_answer() -> None:
    """A run that knows of no other goes on at a quarter all the same, in its first second too."""
    backlog = Backlog(rate=RATE)
    rate = EndRate(backlog.broker(lambda _: None), HOME)
    counter = Fault(Kind.SERVER_ERROR, after=1, lasting=True, operation="UpdateItem")
    with backlog.injector.under([counter]):
        rate.renew()
        assert [rate.claim(Way.RETIRE, wanted) for wanted in (4, 100, 1)] == [4, RATE // 4 - 4, 0]
    with backlog.injector.under([Fault(Kind.SERVER_ERROR, lasting=True, operation="UpdateItem")]):
        rate.give_back()  # the lease lapses by itself
    # Within a second a lease is renewed once, and what is taken stays taken.
    rate.renew()
    assert rate.claim(Way.RETIRE, 100) == RATE


@pytest.mark.parametrize("whole", [1, 2, 3, 5, 41])
def test_shares_of_small_rates(whole: int) -> None:
    """A rate that four do not share evenly is kept all the same: over four seconds each has its quarter."""
    backlog = Backlog(rate=whole, quota=whole)
    backlog.add([-1] * (whole * 12))
    assert backlog.clock.run((0, backlog.process(16)), (0.7, backlog.process(15))) == []
    ended = per_second(backlog)
    assert (max(ended), sum(ended)) == (whole, whole * 12)
    forged = Backlog(rate=whole, quota=whole)
    forged.add([-1] * (whole * 12))
    forge_leases(forged, SECOND + 5)
    forge_counters(forged)
    forged.process(17)()
    assert sum(per_second(forged)[1:]) == whole * 4


def test_leases_are_cleared_away() -> None:
    """What nobody renewed for a minute leaves the item; a run that is over leaves its rate to others."""
    backlog = Backlog(rate=RATE, quota=RATE)
    forge_leases(backlog, SECOND - 61)
    backlog.add([-1] * 200 + [*range(5)])
    backlog.process(5)()
    item = backlog.database.tables["requests"].items["rate#lease", "lease"]
    [mine] = [name for name in item if name.startswith("until_")]
    assert int(item[mine]["N"]) <= int(backlog.clock.now.timestamp())
    backlog.add([-1] * RATE, first=10_000)
    backlog.clock.sleep(1)
    before = len(backlog.kms.ended)
    backlog.process(0.5)()
    assert len(backlog.kms.ended) - before == RATE


def test_each_way_has_its_own_quota() -> None:
    """What RetireGrant took RevokeGrant does not lack."""
    rate = EndRate(Backlog(rate=RATE).broker(), HOME)
    rate.renew()
    assert [rate.claim(way, 100) for way in (*Way, *Way)] == [RATE, RATE, 0, 0]
    assert (rate.claim(Way.RETIRE, 0), rate.claim(Way.RETIRE, -1)) == (0, 0)


def test_counters_go_away_by_themselves() -> None:
    """Each carries the attribute that DynamoDB's TTL reads, an hour ahead, and none is on the agenda."""
    backlog = Backlog()
    rate = EndRate(backlog.broker(), HOME)
    rate.renew()
    assert rate.claim(Way.RETIRE, 1) == 1
    counter = backlog.database.tables["requests"].items[f"rate#retire#{SECOND}", "limit"]
    assert int(counter["expires"]["N"]) == SECOND + 3600
    assert "agenda" not in counter


def test_a_run_that_ends_nothing_writes_no_lease() -> None:
    """An idle stack has 1,440 runs a day: what each left in the item would fill it within three days."""
    backlog = Backlog(rate=RATE)
    backlog.add([86_400])
    assert backlog.process()().looked
    assert ("rate#lease", "lease") not in backlog.database.tables["requests"].items
