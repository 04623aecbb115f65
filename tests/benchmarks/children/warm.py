"""`requests`, warm: the cost of one more covered submission. Keeps the AWS calls of one for `warm_raw`."""

import os
import pickle
from pathlib import Path
from typing import Any

from tests.benchmarks.children.timing import Context, done, event, load_handler, stage

REQUESTS = 12
handler = load_handler()
calls: list[tuple[str, str, dict[str, Any]]] = []


def keep(params: dict[str, Any], model: Any, **_: object) -> None:
    """Keep a call as it is asked for."""
    calls.append((model.service_model.service_name, model.name, params))


def submit() -> None:
    """One submission, granted at once."""
    answer = handler.lambda_handler(event(), Context())
    if answer["statusCode"] != 201:
        raise SystemExit(answer["body"])


broker = handler.broker()
kms = broker.issuer._clients.in_region(broker.settings.aws_region)  # noqa: SLF001
clients = (broker.store.database._client, kms)  # noqa: SLF001
for _ in range(3):
    submit()
for client in clients:
    client.meta.events.register("provide-client-params", keep)
submit()
for client in clients:
    client.meta.events.unregister("provide-client-params", keep)
Path(os.environ["BENCHMARK_CALLS"]).write_bytes(pickle.dumps(calls))
stage("warm")
for _ in range(REQUESTS):
    submit()
stage("submissions")
done()
