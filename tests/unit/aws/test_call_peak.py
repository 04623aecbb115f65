"""How many calls there were in the busiest second."""

from grant_broker.aws.call_peak import CallPeak


def test_the_busiest_second() -> None:
    """The most of any second since it was asked last, the present one included."""
    now = 100.0
    peak = CallPeak(lambda: now)
    for second, calls in ((100.0, 2), (100.9, 1), (101.0, 2), (105.5, 1)):
        now = second
        for _ in range(calls):
            peak.count()
    assert peak.take() == 3
    assert peak.take() == 0
    peak.count()
    assert peak.take() == 1
