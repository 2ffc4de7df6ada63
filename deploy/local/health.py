"""Asks the processes how they are."""

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

TIMEOUT = 3.0  # seconds for one question
POLL = 0.1  # seconds
OK = 200

# A proxy in the environment must not be asked about loopback.
_opener = build_opener(ProxyHandler({}))


def answers(url: str, timeout: float = TIMEOUT) -> int:
    """The HTTP status that `url` answers; 0 where nothing answers in time."""
    try:
        with _opener.open(url, timeout=timeout) as response:
            return int(response.status)
    except HTTPError as error:
        error.close()
        return error.code
    except (URLError, OSError, http.client.HTTPException):
        return 0


def wait_for(
    urls: Mapping[str, str],
    *,
    timeout: float,
    check: Callable[[], None],
    tell: Callable[[str], None],
) -> list[str]:
    """Wait until every URL answers 200; the names of those that did not within `timeout` seconds.

    `check` is called between two looks and may raise to give up early; `tell` is called with the
    name of each that answers.
    """
    deadline = time.monotonic() + timeout
    given_up = threading.Event()

    def wait(name: str) -> str | None:
        """None once it answers, else its name."""
        while time.monotonic() < deadline and not given_up.is_set():
            try:
                check()
            except BaseException:
                given_up.set()
                raise
            if answers(urls[name]) == OK:
                tell(name)
                return None
            given_up.wait(POLL)
        return name

    # At once: a server that accepts and does not answer yet holds up the look at no other.
    with ThreadPoolExecutor(max(len(urls), 1)) as pool:
        return [name for name in pool.map(wait, urls) if name]
