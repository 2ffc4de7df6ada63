"""Calls that are not themselves what is measured, or are made anew where a server was too busy."""

import time
from collections.abc import Callable

import requests

UNAVAILABLE = 503
PAUSES = (1.0, 5.0, 10.0)  # seconds


def answered(call: Callable[[], requests.Response]) -> requests.Response:
    """The answer of `call`; after a 503, that of another call a little later.

    Where a machine stalls for seconds, a server gives up what it waits for and says so.
    """
    for pause in PAUSES:
        answer = call()
        if answer.status_code != UNAVAILABLE:
            return answer
        time.sleep(pause)
    return call()
