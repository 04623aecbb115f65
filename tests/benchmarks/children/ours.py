"""One of the functions as Lambda loads it, and the first event that it is given, if there is one."""

import importlib.machinery
import importlib.util
import os

from tests.benchmarks.children.timing import Context, done, event, stage

path = f"{os.environ['BENCHMARK_FUNCTION']}/handler.py"
loader = importlib.machinery.SourceFileLoader("handler", path)
spec = importlib.util.spec_from_loader("handler", loader)
assert spec is not None
handler = importlib.util.module_from_spec(spec)
loader.exec_module(handler)
stage("init")
if "BENCHMARK_EVENT" in os.environ:
    answer = handler.lambda_handler(event(), Context())
    if answer["statusCode"] != 201:
        raise SystemExit(answer["body"])
    stage("first")
done()
