"""Downloads are tried again: a mirror that stumbles once is no reason to fail."""

import time
from collections.abc import Callable
from typing import TypeVar

PAUSES = (2.0, 10.0, 30.0)  # seconds between two tries

Fetched = TypeVar("Fetched")


def persist(
    fetch: Callable[[], Fetched],
    failure: type[Exception],
    pause: Callable[[float], object] = time.sleep,
) -> Fetched:
    """What `fetch` gives, as soon as it does not raise `failure`; raises the last one.

    `pause` waits for so many seconds; a true answer of it means that nobody wants it any more.
    """
    for seconds in PAUSES:
        try:
            return fetch()
        except failure:
            if pause(seconds):
                raise
    return fetch()
