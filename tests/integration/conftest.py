"""One deployment a module, emptied for each test: to deploy costs a second, to empty some milliseconds."""

from collections.abc import Callable, Iterator

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.support import unregistered as founding
from tests.support.scene import Scene


@pytest.fixture(scope="module")
def deployed() -> Iterator[Scene]:
    """The template, deployed."""
    yield Scene.deploy()
    moto_api_backend.reset()


@pytest.fixture
def scene(deployed: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The deployment, empty, at the start of its time; nobody waits between attempts for real."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    deployed.reset()
    return deployed


@pytest.fixture
def scene_of() -> Iterator[Callable[..., founding.Scene]]:
    """Makes a scene with parameters of the template; nothing of it is left afterwards."""
    yield founding.Scene
    moto_api_backend.reset()


@pytest.fixture
def unregistered(scene_of: Callable[..., founding.Scene]) -> founding.Scene:
    """The founding scenario; its key is not registered yet."""
    return scene_of()
