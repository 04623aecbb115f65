"""The founding scenario with its refusals, for real: signed HTTP, on a stack built from the template."""

import sys
import time
from collections import deque

from tests.local_stack.demo.actors import Actors
from tests.local_stack.demo.founding import CHAPTERS
from tests.local_stack.demo.full import FULL
from tests.local_stack.demo.timeline import Surprise, Timeline
from tests.local_stack.stack import Options, Stack


def run(started: float, *, full: bool = False) -> int:
    """Run the chapters; 0 only if all came out as expected. `started` is on the monotonic clock."""
    timeline, logs = Timeline(started), deque[str](maxlen=100)
    timeline.note("starting AWS, the API and the functions on 127.0.0.1")
    stack = Stack.start(Options(log=logs.append))
    try:
        actors = Actors(stack, timeline)
        for chapter in (*CHAPTERS, *(FULL if full else ())):
            timeline.chapter((chapter.__doc__ or "").strip())
            chapter(actors)
    except Surprise as surprise:
        told = [line for line in logs if '"level":"INFO"' not in line and not line.startswith('{"_aws"')]
        print(f"\n{surprise}\n\nWhat the functions complained of:", *told, sep="\n", file=sys.stderr)
        return 1
    finally:
        stack.close()
    took = time.monotonic() - timeline.started
    print(f"\n{timeline.calls} calls, {timeline.refused} of them refused, all as expected, in {took:.1f} s.")
    return 0
