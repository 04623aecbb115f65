"""One deployment a module, emptied for each test: to deploy costs a second, to empty some milliseconds."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.support.scene import InProcessStack

MIDNIGHT = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def deployed() -> Iterator[InProcessStack]:
    """The template, deployed."""
    yield InProcessStack.deploy()
    moto_api_backend.reset()


@pytest.fixture
def scene(deployed: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> InProcessStack:
    """The deployment, empty, at the start of its time; nobody waits between attempts for real."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    deployed.reset()
    return deployed


@pytest.fixture
def unregistered(deployed: InProcessStack) -> InProcessStack:
    """The deployment at midnight, empty: its key is not registered yet."""
    deployed.empty()
    deployed.clock.now = MIDNIGHT
    return deployed


@pytest.fixture
def deploy() -> Iterator[Callable[..., InProcessStack]]:
    """Deploys with parameters of the template, its key registered; nothing of it is left afterwards."""

    def registered(**parameters: str) -> InProcessStack:
        stack = InProcessStack.deploy(**parameters)
        stack.reset()
        return stack

    yield registered
    moto_api_backend.reset()
