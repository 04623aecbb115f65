"""What the API answers, as types: light to import, and in the domain's own words."""

import subprocess
import sys
from pkgutil import iter_modules
from typing import Any, get_args

import pytest

from grant_broker.api import shapes, vocabulary
from grant_broker.api.problems import ANSWERS
from grant_broker.api.shapes.third_parties import Problem
from grant_broker.domain.checks import Function, Result
from grant_broker.domain.preflight import Known
from grant_broker.domain.scope import ContextMatch
from grant_broker.domain.votes import Verdict


def test_light() -> None:
    """Whoever reads the shapes loads none of the libraries that the functions need."""
    heavy = "{'pydantic', 'boto3', 'botocore', 'aws_lambda_powertools'}"
    modules = ", ".join(f"{shapes.__name__}.{module.name}" for module in iter_modules(shapes.__path__))
    program = f"import sys, {modules}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (vocabulary.ContextMatch, ContextMatch),
        (vocabulary.Verdict, Verdict),
        (vocabulary.Known, Known),
        (vocabulary.Function, Function),
        (vocabulary.CheckResult, Result),
        (Problem.__annotations__["code"], {code for _, code, _ in ANSWERS.values()}),
    ],
)
def test_vocabularies(shape: Any, words: Any) -> None:
    """What a shape allows is what the domain knows."""
    assert set(get_args(shape)[1].enum) == {str(word) for word in words}
