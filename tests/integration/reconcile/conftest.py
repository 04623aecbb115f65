"""The scene that the tests of reconcile share."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.support.records import Scene, key


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Tables in moto that hold the registered key alone."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        made = Scene()
        made.put(key())
        yield made
