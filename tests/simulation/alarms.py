"""The template's alarms, applied to the metrics of a simulated run: CloudWatch itself is not run."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.local_stack.template import Template

Metrics = Sequence[tuple[datetime, str, str, float]]
"""When, by which function, which metric, how much."""
# CloudWatch looks at more periods than it evaluates before it says that data are missing: at two more in the
# examples of its guide ("Configuring how CloudWatch alarms treat missing data").
_LOOKED_AT_BESIDES = 2
_STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max}
_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


def fires(template: Template, alarm: str, metrics: Metrics, at: datetime) -> bool:
    """Whether an alarm of the template has told of trouble by a moment.

    Every period of its evaluation breached, or no data at all where that is told.
    """
    given = template.properties(alarm)
    periods = int(given["EvaluationPeriods"])
    length = timedelta(seconds=int(given["Period"]))
    if "InsufficientDataActions" in given:
        return not _values(given, metrics, at - length * (periods + _LOOKED_AT_BESIDES), at)
    ends = [at - length * number for number in range(periods)]
    breached = [_breached(given, _values(given, metrics, end - length, end)) for end in ends]
    return sum(breached) >= int(given.get("DatapointsToAlarm", periods))


def _values(given: dict[str, Any], metrics: Metrics, start: datetime, end: datetime) -> list[float]:
    [service] = [part["Value"] for part in given["Dimensions"] if part["Name"] == "service"]
    wanted = (service, given["MetricName"])
    return [
        value for at, function, name, value in metrics if start < at <= end and (function, name) == wanted
    ]


def _breached(given: dict[str, Any], values: list[float]) -> bool:
    if not values:
        return False
    value = _STATISTICS[given["Statistic"]](values)
    return _BREACHES[given["ComparisonOperator"]](value, float(given["Threshold"]))
