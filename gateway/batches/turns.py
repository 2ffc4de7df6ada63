"""Bulk requests take turns within a process.

They are work for one processor, and their bodies may be large: two at once would be no faster and
need twice the memory.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.batches.errors import TooBusy

WAIT_SECONDS = 10.0

_turn = threading.Lock()


@contextmanager
def own_turn() -> Iterator[None]:
    """Wait for the others, for so long; then, no garbage is collected. Raises TooBusy.

    The collector would walk over all recipients again and again and find nothing: a sixth of the
    processor's time. What others leave behind waits for a second.
    """
    if not _turn.acquire(timeout=WAIT_SECONDS):
        raise TooBusy
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        _turn.release()
