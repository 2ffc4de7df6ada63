"""Asks the processes how they are."""

import http.client
import time
from collections.abc import Callable, Mapping
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
    waiting = dict(urls)
    while waiting and time.monotonic() < deadline:
        check()
        for name in [name for name, url in waiting.items() if answers(url) == OK]:
            del waiting[name]
            tell(name)
        if waiting:
            time.sleep(POLL)
    return list(waiting)
