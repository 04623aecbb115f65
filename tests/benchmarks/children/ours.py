"""One of the functions as Lambda loads it, and the first event that it is given, if there is one."""

import os

from tests.benchmarks.children.timing import Context, done, event, load_handler, stage

handler = load_handler()
stage("init")
if "BENCHMARK_EVENT" in os.environ:
    answer = handler.lambda_handler(event(), Context())
    if answer["statusCode"] != 201:
        raise SystemExit(answer["body"])
    stage("first")
done()
