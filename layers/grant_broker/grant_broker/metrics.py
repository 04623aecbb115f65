"""Metrics of one call, published whatever came of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit


def measurer(metrics: Metrics) -> Callable[[str, float], None]:
    """Make what adds a metric's value to those of this call; a name that ends in Seconds is in seconds."""
    lock = threading.Lock()

    def measure(name: str, value: float) -> None:
        unit = MetricUnit.Seconds if name.endswith("Seconds") else MetricUnit.Count
        # Powertools writes out a full set in the middle of an addition: one worker at a time.
        with lock:
            metrics.add_metric(name=name, unit=unit, value=value)

    return measure


@contextmanager
def published(metrics: Metrics) -> Iterator[None]:
    """Publish what was measured meanwhile; nothing, and no warning of it, where nothing was."""
    try:
        yield
    finally:
        if metrics.provider.metric_set:
            metrics.flush_metrics()
