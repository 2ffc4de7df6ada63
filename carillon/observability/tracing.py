"""Traces with OpenTelemetry: off unless a collector is named. One notification is one trace.

A trace is carried from process to process by `traceparent` (W3C Trace Context): in HTTP headers,
in the outbox, in AMQP headers. Where tracing is off, what a client sent is carried all the same
and nothing is recorded, imported or paid for.

Attributes follow OpenTelemetry's semantic conventions for HTTP and messaging; none holds an
address, a variable or a token.
"""

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Protocol

from carillon import __version__
from carillon.settings import Environment

Kind = Literal["server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int]

# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
SECONDS = 1_000_000_000  # nanoseconds, in which OpenTelemetry counts time


class Span(Protocol):
    """A piece of work under way; `with` ends it."""

    @property
    def traceparent(self) -> str:
        """What to pass on; empty where there is nothing."""

    def name(self, name: str) -> None:
        """Name it, once that is known."""

    def set(self, attribute: str, value: str | int) -> None:
        """Note something of it."""

    def fail(self, kind: str) -> None:
        """Mark it as failed; `kind` is a kind of failure, never its text."""

    def __enter__(self) -> "Span": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Tracer(Protocol):
    """What records spans."""

    def span(self, name: str, kind: Kind, parent: str, attributes: Attributes) -> Span: ...

    def record(
        self,
        name: str,
        kind: Kind,
        parent: str,
        attributes: Attributes,
        times: tuple[float, float] | None,
    ) -> str: ...

    def current(self) -> str: ...

    def flush(self) -> None: ...


class _Passing:
    """Records nothing and passes on what it was given."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def name(self, name: str) -> None:
        pass

    def set(self, attribute: str, value: str | int) -> None:
        pass

    def fail(self, kind: str) -> None:
        pass

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_error: object) -> None:
        pass


_tracer: Tracer | None = None


def configure(service: str, env: Environment) -> None:
    """Begin to record if OTEL_EXPORTER_OTLP_ENDPOINT names a collector (OTLP over HTTP).

    OTEL_TRACES_SAMPLER_ARG is the share of traces that are kept, 0 to 1, where the client has not
    decided. Spans are sent in the background; a collector that is away costs them and nothing else.
    """
    global _tracer
    endpoint = env.text("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    if not endpoint:
        _tracer = None
        return
    endpoint = env.url(
        "OTEL_EXPORTER_OTLP_ENDPOINT", schemes=("http", "https"), example="http://127.0.0.1:4318"
    )
    share = env.number("OTEL_TRACES_SAMPLER_ARG", 1.0, most=1.0)
    from carillon.observability.opentelemetry import OpenTelemetryTracer

    _tracer = OpenTelemetryTracer(service, __version__, endpoint, share)


def is_on() -> bool:
    """Whether anything is recorded."""
    return _tracer is not None


def span(
    name: str, kind: Kind, *, parent: str | None = None, attributes: Attributes | None = None
) -> Span:
    """A span for a `with` block; without a `parent` it belongs to the one around it."""
    if _tracer is None:
        return _Passing(parent or "")
    return _tracer.span(name, kind, parent or "", attributes or {})


def record(
    name: str,
    kind: Kind,
    *,
    parent: str,
    attributes: Attributes | None = None,
    times: tuple[float, float] | None = None,
) -> str:
    """Record what is over, `times` in Unix seconds (now if none); the traceparent to pass on."""
    if _tracer is None:
        return parent
    return _tracer.record(name, kind, parent, attributes or {}, times)


def current() -> str:
    """The traceparent of the span around us; empty where there is none."""
    return "" if _tracer is None else _tracer.current()


def flush() -> None:
    """Send what was recorded, at the end of a process."""
    if _tracer is not None:
        _tracer.flush()


def parsed(traceparent: str) -> tuple[int, int, int] | None:
    """Trace id, span id and flags; None for what is no traceparent of version 00."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    trace, parent, flags = (int(part, 16) for part in match.groups())
    return trace, parent, flags


def formatted(trace_id: int, span_id: int, flags: int) -> str:
    """The header's form."""
    return f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}"


def http_attributes(method: str, status: int, **more: Any) -> dict[str, str | int]:
    """https://opentelemetry.io/docs/specs/semconv/http/http-spans/."""
    return {"http.request.method": method, "http.response.status_code": status, **more}
