"""The functions' processes: one loads what all handlers share, and forks warm environments from it.

A worker reads events as JSON lines and answers each with one line. All of them end with their pipes, so
none outlives the stack, however that ended.
"""

import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import queue
import signal
import socket
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


def _preload() -> None:
    """Import the broker and its libraries: half of each worker's start, and the same for all."""
    package = importlib.import_module("grant_broker")
    for module in pkgutil.walk_packages(package.__path__, "grant_broker."):
        if not module.name.startswith("grant_broker.client"):
            importlib.import_module(module.name)
    gc.freeze()


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


def _serve(code: Path, events: TextIO, answers: TextIO) -> None:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(events, waiting), daemon=True).start()
    module = _loaded(code / "handler.py")
    _warm(module)
    print(json.dumps({"result": "ready"}), file=answers, flush=True)
    while True:
        print(json.dumps(_run(module, json.loads(waiting.get()))), file=answers, flush=True)


def _become(asked: dict[str, Any], files: list[int]) -> None:
    """Be the worker that was asked for; what it prints is its log."""
    events, answers, log = files
    # The socket on stdin is its parent's alone: whoever kept it open would hide that parent's end.
    os.dup2(events, 0)
    os.close(events)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(asked["environment"])
    try:
        with (
            os.fdopen(0, encoding="utf-8", closefd=False) as read,
            os.fdopen(answers, "w", encoding="utf-8") as written,
        ):
            _serve(Path(asked["code"]), read, written)
    except BaseException:  # noqa: BLE001 - whatever a handler's import raises, SystemExit too
        traceback.print_exc()
    os._exit(1)


def main() -> None:
    """Fork a worker for each line on the socket that is this process's stdin."""
    # An interrupt from the terminal is for the stack, which closes the pipes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _preload()
    with socket.socket(fileno=os.dup(0)) as control:
        while True:
            text, files, _, _ = socket.recv_fds(control, 1 << 16, 3)
            if not text:
                return
            while not text.endswith(b"\n"):
                text += control.recv(1 << 16)
            pid = os.fork()
            if pid == 0:
                control.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _become(json.loads(text), list(files))
            for file in files:
                os.close(file)
            control.sendall(b"%d\n" % pid)


if __name__ == "__main__":
    main()
