"""A WSGI program that counts its requests."""

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
