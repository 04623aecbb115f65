"""The tables that the tests of the audit trail share."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.support.records import Scene


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Empty tables in moto."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield Scene()
