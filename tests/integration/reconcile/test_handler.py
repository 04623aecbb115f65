"""The handler: one run, within Lambda's time limit."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.context import Context
from tests.support.environments import load_handler
from tests.support.records import NOW, Scene, grant

handler = load_handler("reconcile")


def test_run(scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The report is returned, and the metrics are written with their units."""
    scene.kms.grants = [grant()]
    monkeypatch.setattr(handler, "broker", lambda: replace(scene.broker, measure=handler.measure))
    monkeypatch.setattr(handler.metrics.provider, "namespace", "GrantBroker")
    report: dict[str, Any] = handler.lambda_handler({}, Context())
    assert (report["complete"], report["live"], report["drift"]) == (True, 1, 1)
    written = next(line for line in capsys.readouterr().out.splitlines() if "_aws" in line)
    metrics = json.loads(written)
    units = {m["Name"]: m["Unit"] for m in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert (units["LiveGrants"], units["OldestOverdueSeconds"]) == ("Count", "Seconds")
    assert metrics["Heartbeat"] == [1]


def test_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's broker repeats reads of KMS, which it may because it only reads."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    handler.broker.cache_clear()
    made = handler.broker()
    assert made.settings == handler.settings
    client = made.kms._clients.in_region(handler.settings.aws_region)  # noqa: SLF001
    assert client.meta.config.retries["total_max_attempts"] == 8
    handler.broker.cache_clear()
    assert made.clock() > NOW.replace(year=2020)
