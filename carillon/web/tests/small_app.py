"""A WSGI program that counts its requests, and says in each process when it is loaded."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import Counter

__all__ = ["application"]

ANSWERED = Counter("answered_total", "Requests.")


def application(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """An empty answer."""
    ANSWERED.inc()
    start("200 OK", [("Content-Length", "0")])
    return []


print("loaded in", os.getpid(), file=sys.stderr, flush=True)  # noqa: T201
