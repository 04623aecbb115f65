"""What each script measures of itself: the CPU that its process has used since it began, all threads."""

import importlib.machinery
import importlib.util
import json
import os
import resource
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_STAGES: dict[str, float] = {}


def stage(name: str) -> None:
    """Note that a stage has ended."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _STAGES[name] = used.ru_utime + used.ru_stime


def done() -> None:
    """Hand the stages over, and end at once: what an interpreter does at its end, Lambda never waits for."""
    Path(os.environ["BENCHMARK_STAGES"]).write_text(json.dumps(_STAGES), "utf-8")
    sys.stdout.flush()
    os._exit(0)


class Context:
    """What Lambda tells a handler."""

    function_name = "benchmark"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:111122223333:function:benchmark"
    aws_request_id = "benchmark"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Milliseconds until Lambda stops the function."""
        return 25_000


def load_handler() -> ModuleType:
    """Load a function's handler as Lambda does: by itself, from its own folder."""
    loader = importlib.machinery.SourceFileLoader("handler", f"{os.environ['BENCHMARK_FUNCTION']}/handler.py")
    spec = importlib.util.spec_from_loader("handler", loader)
    assert spec is not None
    handler = importlib.util.module_from_spec(spec)
    loader.exec_module(handler)
    return handler


def event() -> dict[str, Any]:
    """The event of the first request."""
    found: dict[str, Any] = json.loads(Path(os.environ["BENCHMARK_EVENT"]).read_text("utf-8"))
    return found
