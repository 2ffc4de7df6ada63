"""Correlation ids: one follows a request through HTTP, the outbox, AMQP and into the mail."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

HTTP_HEADER = "X-Correlation-ID"

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def new_correlation_id() -> str:
    """`corr_` and 96 random bits in hex."""
    return f"corr_{secrets.token_hex(12)}"


def sane_or_new(candidate: str | None) -> str:
    """`candidate` if it is 1-64 safe ASCII characters, else a new correlation id."""
    if candidate and _SANE.fullmatch(candidate):
        return candidate
    return new_correlation_id()


def current_correlation_id() -> str:
    """The correlation id bound to this thread of work, or an empty string."""
    return str(structlog.contextvars.get_contextvars().get("correlation_id", ""))


@contextmanager
def bound(correlation_id: str, **fields: str) -> Iterator[None]:
    """Every log line inside carries `correlation_id` and `fields`."""
    with structlog.contextvars.bound_contextvars(correlation_id=correlation_id, **fields):
        yield
