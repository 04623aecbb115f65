"""The package's own logs, as each function writes them."""

import json
import logging
import os
import subprocess
import sys

import pytest
from aws_lambda_powertools import Logger

from grant_broker.logs import share_handlers
from tests.local_stack.template import ROOT
from tests.support.environments import FUNCTIONS, environment

_LOG = """
import importlib.util, logging, sys
spec = importlib.util.spec_from_file_location("handler", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
logging.getLogger("grant_broker.somewhere").warning("it happened", extra={"request": "abc"})
"""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_extra_fields_are_logged(function: str) -> None:
    """What the package logs beside a message is a field of the function's JSON, written once."""
    told = environment(function) | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    command = [sys.executable, "-c", _LOG, str(ROOT / "functions" / function / "handler.py")]
    done = subprocess.run(command, env=told, check=True, capture_output=True, text=True)  # noqa: S603
    [line] = done.stdout.splitlines()
    written = json.loads(line)
    assert (written["message"], written["request"], written["level"]) == ("it happened", "abc", "WARNING")
    assert done.stderr == ""


def test_level() -> None:
    """The package's loggers follow the function's level."""
    package = logging.getLogger("grant_broker")
    before = (package.handlers, package.propagate, package.level)
    logger = Logger(service="test", level="WARNING")
    try:
        share_handlers(logger)
        found = (package.handlers, package.propagate, package.level)
        assert found == (logger.handlers, False, logging.WARNING)
    finally:
        package.handlers, package.propagate = before[:2]
        package.setLevel(before[2])
