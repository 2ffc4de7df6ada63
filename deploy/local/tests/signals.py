"""Signals for the programs that the tests start."""

import signal

from deploy.local.interruptible import SIGNALS


def heed_signals() -> None:
    """Whoever runs the tests in the background may ignore signals; what they start must not."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
