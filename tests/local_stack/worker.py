"""One warm Lambda environment: reads events as JSON lines, answers each with one line; ends with its pipe."""

import importlib.util
import json
import os
import queue
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO


@dataclass(frozen=True)
class Context:
    """What Lambda tells a handler; `deadline` is on the monotonic clock, in seconds."""

    function_name: str
    memory_limit_in_mb: int
    aws_request_id: str
    deadline: float
    function_version: str = "$LATEST"

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN."""
        region = os.environ["AWS_REGION"]
        return f"arn:aws:lambda:{region}:{os.environ['HOME_ACCOUNT']}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Until the function's timeout, never below 0."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("handler", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["handler"] = module
    spec.loader.exec_module(module)
    return module


def _warm(module: ModuleType) -> None:
    """Make what the handler keeps for the life of its process, so that no event waits for it."""
    for made_once in list(vars(module).values()):
        if hasattr(made_once, "cache_info"):
            made_once()


def _run(module: ModuleType, asked: dict[str, Any]) -> dict[str, Any]:
    context = Context(
        os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        asked["memory"],
        asked["request_id"],
        time.monotonic() + asked["timeout"],
    )
    try:
        return {"result": module.lambda_handler(asked["event"], context)}
    except Exception as error:  # noqa: BLE001 - Lambda answers whatever a handler raises
        traceback.print_exc()
        return {"error": {"errorType": type(error).__name__, "errorMessage": str(error)}}


def _read(events: TextIO, into: "queue.SimpleQueue[str]") -> None:
    """Take in events; when the pipe closes its owner is gone, and a run that goes on would be nobody's."""
    for line in events:
        into.put(line)
    os._exit(0)


def main() -> None:
    """Serve one function's folder, given as the only argument."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What the handler prints is its log; the pipe is for answers alone.
    os.dup2(2, 1)
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin, waiting), daemon=True).start()
    module = _loaded(Path(sys.argv[1]) / "handler.py")
    _warm(module)
    print(json.dumps({"result": "ready"}), file=answers, flush=True)
    while True:
        print(json.dumps(_run(module, json.loads(waiting.get()))), file=answers, flush=True)


if __name__ == "__main__":
    main()
