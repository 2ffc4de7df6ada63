"""Waiting for what happens in other threads and in RabbitMQ, with a bound."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], bool], timeout: float = 60.0) -> bool:
    """True as soon as `condition` holds; False where it does not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()
