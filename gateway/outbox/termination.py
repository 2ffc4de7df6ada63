"""Ending a process politely: SIGTERM and SIGINT as a call in a thread of its own."""

import signal
import threading
from collections.abc import Callable

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


def on_termination(stop: Callable[[], None]) -> None:
    """Call `stop` once, at the first SIGTERM or SIGINT; later ones change nothing.

    To be called in the main thread, before others are started: they inherit that the signals are
    blocked. A handler would run in the midst of the main thread, which may just hold the lock of
    the very event that `stop` sets.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def wait() -> None:
        signal.sigwait(SIGNALS)
        stop()

    threading.Thread(target=wait, name="termination", daemon=True).start()
