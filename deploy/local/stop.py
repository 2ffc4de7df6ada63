"""`make stop`: ends the running platform, or what is left of one."""

import os
import signal
import time

from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.leftovers import end_leftovers
from deploy.local.paths import LOCAL
from deploy.local.state import StackLock, supervisor_of

# The workers' 35 s, RabbitMQ's 30 s, and the others within them.
TIMEOUT = 90.0  # seconds
POLL = 0.1  # seconds


def main(_arguments: list[str], console: Console) -> int:
    """Stop what runs; 0 even if nothing did."""
    stop_stack(console)
    return 0


def stop_stack(console: Console) -> None:
    """Stop the platform and wait until it is gone; raises StackError after TIMEOUT seconds."""
    supervisor = supervisor_of(LOCAL)
    if supervisor:
        with console.step(f"Stopping the platform (pid {supervisor.pid})"):
            os.kill(supervisor.pid, signal.SIGTERM)
            deadline = time.monotonic() + TIMEOUT
            while supervisor.alive:
                if time.monotonic() > deadline:
                    raise StackError(
                        f"The supervisor (pid {supervisor.pid}) still runs after {TIMEOUT:.0f} s"
                    )
                time.sleep(POLL)
    elif not LOCAL.state.exists():
        console.line("The platform is not running here.")
    _end_what_is_left(console)


def _end_what_is_left(console: Console) -> None:
    lock = StackLock(LOCAL)
    if not lock.acquire():
        raise StackError("Another `make run` has just begun; stop that one.")
    ended = end_leftovers(LOCAL)
    if ended:
        console.warn(f"Ended what a killed run had left: {', '.join(ended)}")
    lock.release()
