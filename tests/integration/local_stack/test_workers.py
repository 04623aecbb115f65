"""The functions' processes: what they answer, and what becomes of those that fail."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_stack.nursery import Nursery
from tests.local_stack.processes import runs
from tests.local_stack.template import Function
from tests.local_stack.workers import FailedError, Workers

HANDLER = """
import os, sys, time
from functools import cache

made = []

@cache
def broker():
    made.append(os.environ["GREETING"])
    return made

def lambda_handler(event, context):
    print("called", context.aws_request_id)
    if event.get("raise"):
        raise ValueError(event["raise"])
    if event.get("exit"):
        os._exit(3)
    time.sleep(event.get("sleep", 0))
    left = context.get_remaining_time_in_millis()
    return {"made": made, "pid": os.getpid(), "left": left, "arn": context.invoked_function_arn,
            "aws": sorted(name for name in os.environ if name.startswith("AWS_"))}
"""


@pytest.fixture
def lines() -> list[str]:
    """What the processes printed."""
    return []


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Where they come from, started with somebody's AWS set-up around."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_PROFILE", "somebody")
        made = Nursery()
    yield made
    made.close()


@pytest.fixture
def pool(tmp_path: Path, lines: list[str], nursery: Nursery) -> Iterator[Workers]:
    """The processes of a small function, at most two at a time."""
    (tmp_path / "handler.py").write_text(HANDLER, "utf-8")
    function = Function(
        name="small", logical_id="Small", role="arn", code=tmp_path, handler="handler.lambda_handler",
        timeout=20, memory=128, environment={},
    )  # fmt: skip
    environment = {
        "GREETING": "hello", "HOME_ACCOUNT": "111122223333", "AWS_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_NAME": "stack-small",
    }  # fmt: skip
    made = Workers(function, environment, nursery, most=2, log=lines.append)
    yield made
    made.close()


def test_warm(pool: Workers) -> None:
    """One process answers one call after the other, with what it keeps made before the first."""
    pool.start()
    pool.wait_ready()
    first, second = pool.invoke({}), pool.invoke({})
    assert first["pid"] == second["pid"]
    assert first["made"] == ["hello"]
    assert 0 < first["left"] <= 20_000
    assert first["arn"] == "arn:aws:lambda:eu-central-1:111122223333:function:stack-small"


def test_own_environment(pool: Workers) -> None:
    """Nothing of the machine's AWS set-up reaches a function."""
    assert pool.invoke({})["aws"] == ["AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION"]


def test_raises(pool: Workers, lines: list[str]) -> None:
    """A handler that raises fails the call, is logged, and keeps its process."""
    pid = pool.invoke({})["pid"]
    with pytest.raises(FailedError, match="ValueError"):
        pool.invoke({"raise": "bad luck"})
    assert pool.invoke({})["pid"] == pid
    assert any("bad luck" in line for line in lines)


@pytest.mark.parametrize(
    ("event", "timeout", "message"),
    [({"exit": True}, 20, "died"), ({"sleep": 60}, 0.2, "timed out after 0.2 s")],
)
def test_replaced(pool: Workers, event: dict[str, object], timeout: float, message: str) -> None:
    """A process that dies, or takes longer than its function may, fails the call; the next has a new one."""
    pid = pool.invoke({})["pid"]
    with pytest.raises(FailedError, match=message):
        pool.invoke(event, timeout)
    assert pool.invoke({})["pid"] != pid


def test_at_the_same_time(pool: Workers) -> None:
    """Calls that come together get a process each, up to the most; the others wait for one."""
    pids: list[int] = []
    calls = [
        threading.Thread(target=lambda: pids.append(pool.invoke({"sleep": 1.0})["pid"])) for _ in range(4)
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert (len(pids), len(set(pids))) == (4, 2)


def test_broken_code(pool: Workers, tmp_path: Path) -> None:
    """A handler that cannot be loaded fails the call instead of hanging it."""
    (tmp_path / "handler.py").write_text("import nothing_of_this_name", "utf-8")
    with pytest.raises(FailedError, match="died"):
        pool.invoke({})


def test_everything_is_killed(pool: Workers, nursery: Nursery) -> None:
    """With every process killed, the next call has one of its own again."""
    worker = pool.invoke({})["pid"]
    killed = (worker, nursery.pid)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    while any(map(runs, killed)):
        time.sleep(0.01)
    assert pool.invoke({})["pid"] != worker


def test_closed(pool: Workers, lines: list[str]) -> None:
    """Closing cuts off what runs, and nothing is started any more."""
    failures: list[str] = []

    def call() -> None:
        try:
            pool.invoke({"sleep": 60})
        except FailedError as error:
            failures.append(str(error))

    pool.start()
    pool.wait_ready()
    running = threading.Thread(target=call)
    running.start()
    while not any(line.startswith("called") for line in lines):
        time.sleep(0.01)
    pool.close()
    running.join(10)
    assert failures == ["the process died"]
    with pytest.raises(FailedError, match="no process is free"):
        pool.invoke({})
