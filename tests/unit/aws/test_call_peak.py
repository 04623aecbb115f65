"""How many calls there were in the busiest second."""

from grant_broker.aws.call_peak import CallPeak


def test_the_busiest_second() -> None:
    """The most of any second since it was asked last, the present one included."""
    now = 100.0
    peak = CallPeak(lambda: now)
    for second, calls in ((100.0, 2), (100.9, 1), (101.0, 2), (105.5, 1)):
        now = second
        for _ in range(calls):
            peak.count("eu-central-1")
    assert peak.take() == 3
    assert peak.take() == 0
    peak.count("eu-central-1")
    assert peak.take() == 1


def test_each_region_has_a_quota_of_its_own() -> None:
    """Calls to two Regions in one second are counted apart."""
    peak = CallPeak(lambda: 100.0)
    for region in ("eu-central-1", "eu-west-1", "eu-central-1"):
        peak.count(region)
    assert peak.take() == 2
