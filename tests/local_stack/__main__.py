"""`python -m tests.local_stack serve` and `demo`."""

import argparse
import errno
import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "layers" / "grant_broker"))

_STARTED = time.monotonic()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.local_stack", description="The broker and an AWS of its own, on 127.0.0.1."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo", help="run the founding scenario; exits 0 only if nothing came out otherwise"
    )
    demo.add_argument("--full", action="store_true", help="and after it what else the broker does")
    serve = commands.add_parser("serve", help="stay up until stopped")
    serve.add_argument(
        "--api-port", type=_port, default=0, metavar="N", help="of the API; 0 picks a free one"
    )
    serve.add_argument("--aws-port", type=_port, default=0, metavar="N", help="of AWS; 0 picks a free one")
    serve.add_argument("--ready-file", type=Path, metavar="F", help="write addresses and credentials there")
    serve.add_argument(
        "--schedule-seconds", type=_seconds, metavar="N", help="run every schedule each N seconds"
    )
    serve.add_argument(
        "--propagation-seconds",
        type=_seconds,
        metavar="N",
        help="KMS knows of grants, and of ends, N s later",
    )
    return parser.parse_args()


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError("give a port, 0 to 65535")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError("give a number of seconds above 0")
    return value


def _forget_this_machines_aws() -> None:
    # A profile or an endpoint that somebody works with must not reach the local AWS, nor be reached by it.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ |= {"AWS_EC2_METADATA_DISABLED": "true"}


def _serve(arguments: argparse.Namespace) -> int:
    from tests.local_stack.greeting import greeting  # noqa: PLC0415 - after the environment is clean
    from tests.local_stack.stack import Options, Stack  # noqa: PLC0415 - after the environment is clean

    stopped = threading.Event()
    # SIGHUP: the terminal was closed.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    options = Options(
        api_port=arguments.api_port,
        aws_port=arguments.aws_port,
        schedule_seconds=arguments.schedule_seconds,
        propagation_seconds=arguments.propagation_seconds or 0,
        log=lambda line: print(line, file=sys.stderr, flush=True),
    )
    if arguments.ready_file:
        # A wrong path is told before anything starts.
        with tempfile.TemporaryFile(dir=arguments.ready_file.parent):
            pass
        # Nobody shall take an earlier stack's for this one's.
        arguments.ready_file.unlink(missing_ok=True)
    stack = Stack.start(options)
    try:
        if arguments.ready_file:
            _write(arguments.ready_file, stack.ready())
        print(*greeting(stack.ready()), sep="\n", flush=True)
        # A signal that comes just before the wait begins does not interrupt it: its handler runs between two.
        while not stopped.wait(0.5):
            pass
    finally:
        stack.close()
    return 0


def _in_words(error: OSError, arguments: argparse.Namespace) -> str:
    """What kept it from serving, and what to do."""
    if error.errno == errno.EADDRINUSE:
        ports = [port for port in (arguments.api_port, arguments.aws_port) if port]
        return f"port {' or '.join(map(str, ports))} is in use: give another one, or 0 for a free one"
    return f"{error.filename}: {error.strerror}: give a file that can be written"


def _write(path: Path, ready: dict[str, object]) -> None:
    """Whoever waits for the file never reads a part of it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:
        json.dump(ready, file, indent=1)
    Path(file.name).replace(path)


def main() -> int:
    """Run one of the commands."""
    arguments = _arguments()
    _forget_this_machines_aws()
    if arguments.command == "serve":
        try:
            return _serve(arguments)
        except OSError as error:
            print(f"python -m tests.local_stack serve: {_in_words(error, arguments)}", file=sys.stderr)
            return 2
    from tests.local_stack.demo import run as demo  # noqa: PLC0415 - after the environment is clean

    return demo.run(_STARTED, full=arguments.full)


if __name__ == "__main__":
    sys.exit(main())
