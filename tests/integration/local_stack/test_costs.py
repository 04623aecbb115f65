"""What the command `cost` reckons with is what the local stack is seen to do."""

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest

from grant_broker.client.costs import ALARMS, MEMORY, WORK, monthly
from grant_broker.expiry.run import run
from tests.local_aws.cloud import ELSEWHERE
from tests.support.context import Context
from tests.support.inline import Inline
from tests.support.metering import Meter, metered
from tests.support.scene import InProcessStack

DUE_IN = 100  # seconds
TOO_MUCH = 1.6  # what is reckoned with may be so much more than what is counted


class _Running(Context):
    """A run by the scene's clock."""

    def __init__(self, scene: InProcessStack) -> None:
        self._scene, self._until = scene, scene.clock.now + timedelta(seconds=240)

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]
        """Milliseconds until Lambda stops the function."""
        return int((self._until - self._scene.clock.now).total_seconds() * 1000)


def _run(scene: InProcessStack, function: str, event: Mapping[str, Any]) -> Meter:
    module = scene.brokers.handler(function)
    # Real threads would have the clock run away from the work that they have not done yet.
    inline = {"run": partial(run, pool=Inline)} if function == "expiry" else {}
    with metered(scene) as meter, mock.patch.dict(vars(module), inline):
        inspect.unwrap(module.lambda_handler)(dict(event), _Running(scene))
    return meter


def _calls(meter: Meter, service: str) -> int:
    return sum(count for name, count in meter.calls.items() if name.startswith(f"{service}:"))


def _counted(meter: Meter, before: Meter | None = None) -> dict[str, float]:
    """What was done, or what more than before."""
    found = {
        "dynamodb": _calls(meter, "dynamodb"), "kms": _calls(meter, "kms"),
        "reads": meter.reads, "writes": meter.writes,
    }  # fmt: skip
    return (
        found if before is None else {name: value - _counted(before)[name] for name, value in found.items()}
    )


def _assert_reckoned(counted: Mapping[str, float], *names: str) -> None:
    works = [WORK[name] for name in names]
    for what, much in counted.items():
        reckoned = sum(getattr(work, what) for work in works)
        assert much <= reckoned <= max(much * TOO_MUCH, much + 4), (names, what, dict(counted))


@pytest.fixture
def stack(deploy: Callable[..., InProcessStack]) -> InProcessStack:
    """As deployed by default, in one Region, two minutes after its key was checked, approved ahead."""
    return _settled(deploy(SmallestDuration=300, KeyRegions=""))


def _settled(made: InProcessStack) -> InProcessStack:
    made.approve_ahead()
    made.check()
    made.clock.advance(minutes=2)
    return made


def test_idle_runs(stack: InProcessStack) -> None:
    """With no live grant each run goes home at once, having read a little."""
    began = stack.clock.now
    _assert_reckoned(_counted(_run(stack, "expiry", {})), "expiry run")
    _assert_reckoned(_counted(_run(stack, "expiry", {"check": "expiry"})), "expiry checks run")
    _assert_reckoned(_counted(_run(stack, "requests", {"check": "requests"})), "requests checks run")
    _assert_reckoned(_counted(_run(stack, "approvals", {"job": "revocations"})), "approvals run")
    _assert_reckoned(_counted(_run(stack, "reconcile", {})), "reconcile run", "reconcile listing")
    assert stack.clock.now == began


def test_another_region(deploy: Callable[..., InProcessStack]) -> None:
    """Each of reconcile's runs does so much more for a Region beside the stack's own."""
    stack = _settled(deploy(SmallestDuration=300, KeyRegions=[ELSEWHERE]))
    counted = _counted(_run(stack, "reconcile", {}))
    _assert_reckoned(counted, "reconcile run", "reconcile listing", "reconcile region")


def test_a_request_and_its_end(stack: InProcessStack) -> None:
    """What a covered request costs, then each of reconcile's runs, its end, and the look afterwards."""
    idle, compared = _run(stack, "expiry", {}), _run(stack, "reconcile", {})
    with metered(stack) as asked:
        answer = stack.submit(key=stack.key_arn, duration="PT1H")
    assert answer.body["status"] == "active"
    _assert_reckoned(_counted(asked), "covered request")
    more = _counted(_run(stack, "reconcile", {}), compared)
    _assert_reckoned(more, "reconcile page", "reconcile live grant")
    end = datetime.fromisoformat(answer.body["expires_at"])
    stack.clock.now = end - timedelta(seconds=DUE_IN)
    ended = _run(stack, "expiry", {})
    # It stayed, and looked every two seconds, which is reckoned by the second.
    assert DUE_IN <= (stack.clock.now - end).total_seconds() + DUE_IN < DUE_IN + 30
    looks = {"dynamodb": ended.calls["dynamodb:Query"], "reads": ended.reads}
    done = _counted(ended) | {"dynamodb": _counted(ended)["dynamodb"] - looks["dynamodb"], "reads": 1}
    _assert_reckoned(done, "end")
    stack.clock.now = end + timedelta(minutes=7)
    _assert_reckoned(_counted(_run(stack, "expiry", {}), idle), "confirmation")


def test_an_archived_request(deploy: Callable[..., InProcessStack]) -> None:
    """What is paid once for a request that leaves the tables; a pass that moves nothing is a run's own."""
    stack = deploy(SmallestDuration=300, Archive="yes", ArchiveAfterDays=30)
    stack.approve_ahead()
    answer = stack.submit(duration="PT1H")
    stack.clock.now = datetime.fromisoformat(answer.body["expires_at"])
    _run(stack, "expiry", {})
    stack.clock.advance(minutes=7)
    _run(stack, "expiry", {})
    _run(stack, "reconcile", {})
    stack.clock.advance(hours=2)
    idle = _run(stack, "reconcile", {})
    stack.clock.advance(days=31)
    moved = _run(stack, "reconcile", {})
    assert moved.calls["s3:PutObject"] == 1
    _assert_reckoned(_counted(moved, idle), "archived request")


def test_the_template_is_what_is_reckoned(stack: InProcessStack) -> None:
    """Memory and alarms are the template's."""
    template = stack.deployment.template
    assert {name: function.memory for name, function in template.functions().items()} == MEMORY
    assert ALARMS - 10 < len(list(template.named("AWS::CloudWatch::Alarm"))) <= ALARMS


def test_targets() -> None:
    """An idle stack's functions and tables cost at most a dollar a month, 100 grants a day at most five."""
    assert monthly(requests=0, live=0, ends=0).compute_and_database <= 1
    assert monthly(requests=3040, live=10, ends=3040).compute_and_database <= 5
