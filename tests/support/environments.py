"""What each function is told on Lambda, as the template has it, and its handler loaded with that."""

import gc
import importlib.util
import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import Any
from unittest import mock

from tests.local_stack.template import ROOT, Template

_OF_LAMBDA = {
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}
FUNCTIONS = ("requests", "approvals", "expiry", "reconcile", "events")


def environment(function: str) -> dict[str, str]:
    """A function's variables: the template's, and what Lambda itself tells."""
    return {**_template().functions()[function].environment, **_OF_LAMBDA}


@cache
def _template() -> Template:
    given = {"TrustedAccounts": ["444455556666"], "ApproverRoleIds": ["AROA123456789012"]}
    return Template.read(given, account="111122223333", region="eu-central-1", stack="grant-broker")


def load_handler(function: str, told: Mapping[str, str] | None = None) -> Any:
    """A function's handler module as Lambda loads it, told what the template says or this instead."""
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{function}_handler", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(os.environ, environment(function) if told is None else told, clear=True):
        try:
            spec.loader.exec_module(module)
        finally:
            # A handler that does not start leaves it off, which on Lambda nobody lives to see.
            gc.enable()
            # Tests read the package's logs as they come, beside the function's own format.
            logging.getLogger("grant_broker").propagate = True
    return module
