"""One deployment a module: to deploy takes longer than many examples."""

import gc
import logging
from collections.abc import Iterator

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.property.faults.world import World


@pytest.fixture(scope="module")
def deployed() -> Iterator[World]:
    """The world; the functions' many complaints about the faults are not logged."""
    logging.disable(logging.CRITICAL)
    world = World()
    # What was loaded so far stays: the collector need not look at it again and again.
    gc.freeze()
    yield world
    gc.unfreeze()
    logging.disable(logging.NOTSET)
    moto_api_backend.reset()


@pytest.fixture
def world(deployed: World) -> World:
    """The world as deployed, with both keys registered."""
    deployed.reset()
    return deployed
