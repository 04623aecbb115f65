"""A world of its own for each test."""

from collections.abc import Iterator

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.integration.local_aws.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A cloud with a key, forgotten afterwards."""
    yield World()
    moto_api_backend.reset()
