"""Each function's broker and handler in this process: its role's credentials, the test's clock."""

import importlib.util
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from types import ModuleType
from typing import Any, Literal, overload
from unittest import mock

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.settings import ApprovalsSettings
from grant_broker.aws.clients import Clients
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.store import Store
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.settings import ExpirySettings
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.settings import ReconcileSettings
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.readers import InTurn
from grant_broker.requests.settings import RequestsSettings
from tests.local_aws.cloud import Credentials
from tests.local_stack.deployment import Deployment
from tests.local_stack.proxy import matched, proxy_event
from tests.local_stack.template import Route
from tests.local_stack.triggers import routes
from tests.support import contract
from tests.support.context import Context

AnyBroker = RequestsBroker | ApprovalsBroker | ExpiryBroker | ReconcileBroker


def built(function: str, environment: Mapping[str, str], aws: Clients | None = None) -> AnyBroker:
    """A function's own composition, of what it is told."""
    match function:
        case "requests":
            return RequestsBroker.build(RequestsSettings.from_environment(environment), aws=aws)
        case "approvals":
            return ApprovalsBroker.build(ApprovalsSettings.from_environment(environment), aws=aws)
        case "expiry":
            return ExpiryBroker.build(ExpirySettings.from_environment(environment), aws=aws)
        case "reconcile":
            return ReconcileBroker.build(ReconcileSettings.from_environment(environment), aws=aws)
    raise ValueError(function)


def in_turn(made: AnyBroker) -> AnyBroker:
    """A broker that reads one thing after the other, so that every order of calls can be repeated."""
    return replace(made, readers=InTurn) if isinstance(made, RequestsBroker) else made


@dataclass
class Answer:
    """An API answer, its JSON body read."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Brokers:
    """The functions of a deployment. `metrics` collects (function, metric, value)."""

    deployment: Deployment
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    metrics: list[tuple[str, str, float]] = field(default_factory=list)
    _made: dict[str, AnyBroker] = field(default_factory=dict)

    @overload
    def broker(self, function: Literal["requests"]) -> RequestsBroker: ...
    @overload
    def broker(self, function: Literal["approvals"]) -> ApprovalsBroker: ...
    @overload
    def broker(self, function: Literal["expiry"]) -> ExpiryBroker: ...
    @overload
    def broker(self, function: Literal["reconcile"]) -> ReconcileBroker: ...
    @overload
    def broker(self, function: str) -> AnyBroker: ...

    def broker(self, function: str) -> AnyBroker:
        """The function's broker: settings of its environment, clients with its role's credentials."""
        if function not in self._made:
            self._made[function] = self._make(function)
        return self._made[function]

    def renew(self, function: str) -> None:
        """Forget a function's broker: the next one has credentials of the role as it is by then."""
        self._made.pop(function, None)

    def _make(self, function: str) -> AnyBroker:
        aws = Clients(self.deployment.cloud.session(self.deployment.credentials(function)).client)
        made = self.composed(function, aws, self.sleep)
        measure = partial(self._measure, function)
        return in_turn(replace(made, clock=self.clock, sleep=self.sleep, measure=measure))

    def composed(self, function: str, aws: Clients, sleep: Callable[[float], None]) -> AnyBroker:
        """The function's own composition, on these clients."""
        made = built(function, self.deployment.environment(function), aws)
        tables = made.store.tables
        store = Store(
            DynamoDb(aws.dynamodb(), sleep=sleep),
            request_table=tables.request_table,
            approval_table=tables.approval_table if tables.has_approval_table else None,
            agenda_shards=made.settings.agenda_shards,
        )
        return replace(made, store=store)

    def _measure(self, function: str, name: str, value: float) -> None:
        self.metrics.append((function, name, value))

    def call(
        self, caller: Credentials, method: str, path: str, body: Any = None, *,
        query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """One API call through the function's handler, as if the gateway had let it through."""
        found = matched(self._routes, method, path)
        if found is None:
            raise KeyError(f"no route {method} {path}")
        route, parameters = found
        event = proxy_event(
            self.deployment.cloud.directory, caller, route, path, parameters=parameters,
            query=tuple((query or {}).items()), headers=tuple((headers or {}).items()),
            body=body if isinstance(body, str) or body is None else json.dumps(body),
        )  # fmt: skip
        answer = self.handler(route.function).api.resolve(event, Context())
        text = answer["body"]
        told = Answer(
            answer["statusCode"], json.loads(text) if text else None,
            {name: values[-1] for name, values in answer.get("multiValueHeaders", {}).items()},
        )  # fmt: skip
        contract.check(method, route.path, told.status, told.headers, told.body)
        return told

    @cached_property
    def _routes(self) -> tuple[Route, ...]:
        return routes(self.deployment.template)

    def handler(self, function: str) -> ModuleType:
        """The function's handler module, loaded once, working with this deployment's broker."""
        if function not in self._modules:
            with mock.patch.dict(os.environ, self.deployment.environment(function)):
                self._modules[function] = self.fresh(function)
            self._modules[function].broker = lambda: self.broker(function)  # type: ignore[attr-defined]
        return self._modules[function]

    def fresh(self, function: str) -> ModuleType:
        """The function's handler module as Lambda loads it, with the environment there is."""
        return _loaded(self.deployment.functions[function].code)

    _modules: dict[str, ModuleType] = field(default_factory=dict)


def _loaded(folder: Any) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{folder.name}_handler", folder / "handler.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
