"""The recording half of `tracing`: imported where a collector is named, and only there."""

import time
from contextlib import AbstractContextManager
from types import TracebackType

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode

from carillon.observability import tracing
from carillon.observability.tracing import Attributes, Kind

KINDS: dict[Kind, SpanKind] = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
# Milliseconds between two batches, and for a last one at the end of the process.
SEND_EVERY = 1_000
SEND_AT_END = 5_000
EXPORT_SECONDS = 5


class RecordedSpan:
    """A span that is the current one inside its `with` block."""

    __slots__ = ("_scope", "_span")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._scope: AbstractContextManager[trace.Span] | None = None

    @property
    def traceparent(self) -> str:
        """What to pass on."""
        return _traceparent(self._span)

    def name(self, name: str) -> None:
        """Name it, once that is known."""
        self._span.update_name(name)

    def set(self, attribute: str, value: str | int) -> None:
        """Note something of it."""
        self._span.set_attribute(attribute, value)

    def fail(self, kind: str) -> None:
        """Mark it as failed."""
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR))

    def __enter__(self) -> "RecordedSpan":
        # Exceptions are not recorded: their text may hold an address.
        self._scope = trace.use_span(
            self._span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        )
        self._scope.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.fail(kind.__name__)
        if self._scope is not None:
            self._scope.__exit__(kind, error, traceback)


class OpenTelemetryTracer:
    """Records spans and sends them to a collector, in batches, on a thread of its own."""

    def __init__(self, service: str, version: str, endpoint: str, share: float) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            resource=Resource.create(
                {
                    "service.name": service,
                    "service.version": version,
                    "service.namespace": "carillon",
                }
            ),
            shutdown_on_exit=True,
        )
        exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=EXPORT_SECONDS)
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, schedule_delay_millis=SEND_EVERY)
        )
        self._tracer = self._provider.get_tracer("carillon", version)

    def span(self, name: str, kind: Kind, parent: str, attributes: Attributes) -> RecordedSpan:
        """A child of `parent`, else of the span around it, else the first of a new trace."""
        return RecordedSpan(
            self._tracer.start_span(
                name, _context(parent), kind=KINDS[kind], attributes=dict(attributes)
            )
        )

    def record(
        self,
        name: str,
        kind: Kind,
        parent: str,
        attributes: Attributes,
        times: tuple[float, float] | None,
    ) -> str:
        """A span that is over."""
        begun, ended = times or (time.time(),) * 2
        span = self._tracer.start_span(
            name,
            _context(parent),
            kind=KINDS[kind],
            attributes=dict(attributes),
            start_time=int(begun * tracing.SECONDS),
        )
        span.end(int(ended * tracing.SECONDS))
        return _traceparent(span)

    def current(self) -> str:
        """The traceparent of the span around us."""
        return _traceparent(trace.get_current_span())

    def flush(self) -> None:
        """Send what was recorded."""
        self._provider.force_flush(SEND_AT_END)


def _context(parent: str) -> Context | None:
    """None, the span around us, where there is no parent."""
    found = tracing.parsed(parent)
    if found is None:
        return None
    trace_id, span_id, flags = found
    context = trace.SpanContext(
        trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(context), Context())


def _traceparent(span: trace.Span) -> str:
    context = span.get_span_context()
    if not context.is_valid:
        return ""
    return tracing.formatted(context.trace_id, context.span_id, context.trace_flags)
