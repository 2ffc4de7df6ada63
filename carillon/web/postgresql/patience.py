"""How long a request waits for PostgreSQL, all of its statements together.

`statement_timeout` is kept by the server: one that is behind a partition keeps nothing, and the
network alone may take a quarter of an hour to notice. Without a bound of ours, every thread would
be waiting by then.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


@contextmanager
def patience(seconds: float | None) -> Iterator[None]:
    """Bound the waiting in this block to so many seconds from now; None for no bound."""
    token = _deadline.set(math.inf if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def renew(seconds: float | None) -> None:
    """Begin anew in a block that is bounded: for requests that take longer, in parts that do not.

    What took time so far was not PostgreSQL: a large body on a slow line, or work of our own.
    """
    if _deadline.get() != math.inf and seconds is not None:
        _deadline.set(time.monotonic() + seconds)


def left() -> float | None:
    """Seconds that are left, 0 where none are; None where there is no bound."""
    deadline = _deadline.get()
    return None if deadline == math.inf else max(0.0, deadline - time.monotonic())
