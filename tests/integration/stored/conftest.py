"""The recorded tables under the present code."""

from collections.abc import Iterator

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.integration.stored import recording
from tests.support.scene import InProcessStack


@pytest.fixture(scope="module")
def redeployed() -> Iterator[InProcessStack]:
    """The present template, deployed over the recording's keys and people."""
    yield recording.deploy()
    moto_api_backend.reset()


@pytest.fixture
def stack(redeployed: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> InProcessStack:
    """The stack as it was recorded; nobody waits between attempts for real."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    recording.restore(redeployed)
    return redeployed
