"""One deployment a module: to deploy takes longer than many examples."""

import gc
import logging
from collections.abc import Iterator
from unittest import mock

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.simulation.world import World
from tests.support import contract


@pytest.fixture(scope="module")
def deployed() -> Iterator[World]:
    """The world; the functions' many complaints about the faults are not logged."""
    logging.disable(logging.CRITICAL)
    world = World()
    # The answers' shape is checked elsewhere, and takes a sixth of the time here.
    with mock.patch.object(contract, "check"):
        yield from _frozen(world)
    logging.disable(logging.NOTSET)
    moto_api_backend.reset()


def _frozen(world: World) -> Iterator[World]:
    # What was loaded so far stays: the collector need not look at it again and again.
    gc.freeze()
    yield world
    gc.unfreeze()


@pytest.fixture
def world(deployed: World) -> World:
    """The world as deployed, with both keys registered."""
    deployed.reset()
    return deployed
