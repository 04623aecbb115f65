"""Metrics of one call, published whatever came of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Metrics


@contextmanager
def published(metrics: Metrics) -> Iterator[None]:
    """Publish what was measured meanwhile; nothing, and no warning of it, where nothing was."""
    try:
        yield
    finally:
        if metrics.provider.metric_set:
            metrics.flush_metrics()
