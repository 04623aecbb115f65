"""What a function loads before its first call, in a fresh process: nothing that it does not use."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

import pytest

from tests.local_stack.template import ROOT
from tests.support.environments import FUNCTIONS, environment

_LOAD = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("handler", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
import gc
print(gc.isenabled(), gc.get_freeze_count() > 0)
print(*sys.modules)
from dataclasses import is_dataclass
own = [(name, vars(module)) for name, module in sys.modules.items() if name.startswith("grant_broker.")]
print(*(it.__name__ for name, told in own for it in told.values()
        if isinstance(it, type) and it.__module__ == name and is_dataclass(it)))
"""
_POLICY_ENGINE = ("grant_broker.policy_engine", "grant_broker.access_report")
# The time zones are for whoever meets a window.
_SDK = ("boto3", "s3transfer", "asyncio", "aws_xray_sdk", "tzdata")
_EVENT_SOURCES = "aws_lambda_powertools.utilities.data_classes"
NOT_LOADED: dict[str, tuple[str, ...]] = {
    "requests": (
        "grant_broker.access_report",
        "grant_broker.domain.limits_in_force",
        "grant_broker.domain.mass_revocations",
        "grant_broker.domain.passes",
        "grant_broker.domain.proposals",
        "grant_broker.domain.question",
        "grant_broker.domain.reviews",
        "grant_broker.domain.standing_approval",
        "grant_broker.requests.check",
        "grant_broker.requests.why",
    ),
    "approvals": (),
    "expiry": (
        *_POLICY_ENGINE,
        "grant_broker.api",
        "grant_broker.api_broker",
        "grant_broker.approval_settings",
        "grant_broker.aws.lists",
        "grant_broker.aws.store",
        # It judges nothing: of all records it reads requests and checks.
        "grant_broker.domain.accounts",
        "grant_broker.domain.approvals",
        "grant_broker.domain.key_document",
        "grant_broker.domain.keys",
        "grant_broker.domain.mass_revocations",
        "grant_broker.domain.place",
        "grant_broker.domain.reviews",
        "aws_lambda_powertools.event_handler",
        _EVENT_SOURCES,
    ),
    "reconcile": (*_POLICY_ENGINE, "grant_broker.api", "aws_lambda_powertools.event_handler", _EVENT_SOURCES),
    "events": (*_POLICY_ENGINE, "grant_broker.api", "aws_lambda_powertools.event_handler", _EVENT_SOURCES),
}
"""Beside the modules of the other functions, and of commands."""

DATA_CLASSES = {"requests": 13, "expiry": 9}
"""What is extended, remembers what it has computed, or makes a field's default: so many at most."""


@dataclass(frozen=True)
class Loaded:
    """What a function has loaded when it is ready for its first call: modules, and its own data classes."""

    modules: frozenset[str]
    data_classes: frozenset[str]


@cache
def load(function: str) -> Loaded:
    """Load a function in a fresh process."""
    told = environment(function) | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    handler = ROOT / "functions" / function / "handler.py"
    command = [sys.executable, "-c", _LOAD, str(handler)]
    done = subprocess.run(command, env=told, check=True, capture_output=True, text=True)  # noqa: S603
    collecting, modules, data_classes = done.stdout.splitlines()
    # The init phase is over: garbage is collected, but not among what was loaded.
    assert collecting == "True True"
    return Loaded(frozenset(modules.split()), frozenset(data_classes.split()))


def loaded(function: str) -> frozenset[str]:
    """The modules that a function has loaded."""
    return load(function).modules


def _below(names: frozenset[str], *packages: str) -> set[str]:
    return {name for name in names if any(name == each or name.startswith(f"{each}.") for each in packages)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_of_others(function: str) -> None:
    """A function loads no module of another one, none of a command, and nothing that it does not use."""
    others = [f"grant_broker.{name}" for name in (*FUNCTIONS, "client") if name != function]
    assert _below(loaded(function), *others, *_SDK, *NOT_LOADED[function]) == set()


@pytest.mark.parametrize("function", ["requests", "approvals"])
def test_the_resolver_comes_alone(function: str) -> None:
    """Of Powertools' resolvers and event sources only those for REST APIs, and what they need, are loaded."""
    found = _below(loaded(function), "aws_lambda_powertools.event_handler", _EVENT_SOURCES)
    assert "aws_lambda_powertools.event_handler.api_gateway" in found
    strange = ("appsync", "agent_function", "sqs", "kinesis", "dynamo", "s3_", "cognito", "connect")
    assert [name for name in sorted(found) if any(part in name for part in strange)] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_first_call_finds_its_clients(function: str) -> None:
    """Clients are made in the init phase, which Lambda gives a whole processor."""
    assert "botocore.client" in loaded(function)


@pytest.mark.parametrize(("function", "most"), DATA_CLASSES.items())
def test_values_are_named_tuples(function: str, most: int) -> None:
    """Hardly any value is a data class, whose methods Python compiles at each cold start."""
    found = load(function).data_classes
    assert len(found) <= most, f"make a NamedTuple of what may be one: {sorted(found)}"
