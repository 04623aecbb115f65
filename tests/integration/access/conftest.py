"""The scene that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from tests.integration.access.scene import Scene, scene


@pytest.fixture(name="scene")
def _scene() -> Iterator[Scene]:
    """The founding scenario; its key is not registered yet."""
    with scene() as made:
        yield made
