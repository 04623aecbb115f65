"""Garbage is collected from the end of the init phase on."""

import gc

from grant_broker import init_phase


def test_end() -> None:
    """What was loaded is never looked through again; what comes is."""
    gc.disable()
    try:
        init_phase.end()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.enable()
