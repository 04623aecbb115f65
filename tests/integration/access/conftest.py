"""The scene that the tests of this folder share."""

from collections.abc import Callable, Iterator

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.integration.access.scene import Scene


@pytest.fixture
def scene_of() -> Iterator[Callable[..., Scene]]:
    """Makes a scene with parameters of the template; nothing of it is left afterwards."""
    yield Scene
    moto_api_backend.reset()


@pytest.fixture
def scene(scene_of: Callable[..., Scene]) -> Scene:
    """The founding scenario; its key is not registered yet."""
    return scene_of()
