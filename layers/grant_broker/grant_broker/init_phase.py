"""A function's init phase, from this module's import, the first of a handler's from the package, to `end`.

No garbage is collected meanwhile: imports leave next to none, and to look for it again and again takes a
tenth of a cold start.
"""

import gc

gc.disable()


def end() -> None:
    """End the init phase: collect garbage from now on, and never look through what was loaded so far."""
    gc.freeze()
    gc.enable()
