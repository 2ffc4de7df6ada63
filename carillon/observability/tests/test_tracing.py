"""Traces: what is passed on when they are off, and what is recorded when they are on."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from carillon.clients.http import InternalHTTP
from carillon.observability import opentelemetry, tracing
from carillon.settings import Environment, SettingsError
from carillon.testing.http_double import HTTPDouble, Reply
from carillon.worker.providers.http import ProviderHTTP

TRACE, PARENT = secrets.token_hex(16), secrets.token_hex(8)
CLIENT = f"00-{TRACE}-{PARENT}-01"


def environment(folder: Path, text: str = "") -> Environment:
    """Settings from a file alone."""
    file = folder / "env"
    file.write_text(text, encoding="utf-8")
    return Environment((file,))


@pytest.fixture(autouse=True)
def _off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever the test run's own environment says."""
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.setattr(tracing, "_tracer", None)
    yield
    monkeypatch.setattr(tracing, "_tracer", None)


@pytest.fixture
def exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Tracing is on, and what would be sent is kept here."""
    kept = InMemorySpanExporter()
    monkeypatch.setattr(opentelemetry, "OTLPSpanExporter", lambda *_, **__: kept)
    text = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\n"
    tracing.configure("test", environment(tmp_path, text))
    return kept


@pytest.fixture
def double() -> Iterator[HTTPDouble]:
    """A server that answers everything."""
    with HTTPDouble(lambda _: Reply(200, {})) as running:
        yield running


def span_id(span: ReadableSpan) -> str:
    """In hex, as a traceparent has it."""
    context = span.get_span_context()
    assert context
    return f"{context.span_id:016x}"


def recorded(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """The finished spans, by name."""
    tracing.flush()
    return {span.name: span for span in exporter.get_finished_spans()}


def test_it_is_off_unless_a_collector_is_named(tmp_path: Path) -> None:
    tracing.configure("test", environment(tmp_path))
    assert not tracing.is_on()


def test_a_collector_that_is_none_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        tracing.configure("t", environment(tmp_path, "OTEL_EXPORTER_OTLP_ENDPOINT=collector\n"))


def test_what_a_client_sent_is_passed_on_where_it_is_off() -> None:
    assert tracing.record("create", "producer", parent=CLIENT) == CLIENT
    with tracing.span("request", "server", parent=CLIENT) as span:
        span.name("POST")
        span.set("status", 202)
        span.fail("503")
        assert span.traceparent == CLIENT
        assert tracing.current() == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00-abc-def-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}G-{PARENT}-01",
        f"{CLIENT}-more",
    ],
)
def test_what_is_no_traceparent_is_none(text: str) -> None:
    assert tracing.parsed(text) is None


def test_a_traceparent_survives_being_read_and_written() -> None:
    found = tracing.parsed(CLIENT)
    assert found
    assert tracing.formatted(*found) == CLIENT


def test_a_trace_goes_on_below_its_parent(exporter: InMemorySpanExporter) -> None:
    with tracing.span("request", "server", parent=CLIENT) as outer:
        assert tracing.current() == outer.traceparent
        with tracing.span("call", "client", attributes={"peer": "user_service"}) as inner:
            assert inner.traceparent.split("-")[1] == TRACE
    assert tracing.current() == ""
    spans = recorded(exporter)
    request, call = spans["request"], spans["call"]
    assert request.parent
    assert f"{request.parent.span_id:016x}" == PARENT
    assert call.parent
    assert f"{call.parent.span_id:016x}" == span_id(request)
    assert dict(call.attributes or {}) == {"peer": "user_service"}


def test_without_a_client_s_trace_a_new_one_begins(exporter: InMemorySpanExporter) -> None:
    with tracing.span("request", "server", parent="nonsense") as span:
        assert tracing.parsed(span.traceparent)
    assert recorded(exporter)["request"].parent is None


def test_what_is_over_can_be_recorded_with_its_times(exporter: InMemorySpanExporter) -> None:
    passed_on = tracing.record("apply", "consumer", parent=CLIENT, times=(1000.0, 1000.5))
    span = recorded(exporter)["apply"]
    assert passed_on.split("-")[1] == TRACE
    assert passed_on.split("-")[2] == span_id(span)
    assert (span.start_time, span.end_time) == (1000 * tracing.SECONDS, 1000.5 * tracing.SECONDS)


def test_what_the_client_does_not_want_kept_is_not(exporter: InMemorySpanExporter) -> None:
    with tracing.span("request", "server", parent=f"00-{TRACE}-{PARENT}-00") as span:
        # It goes on being passed on, so that the next process knows.
        assert span.traceparent.endswith("-00")
    assert recorded(exporter) == {}


def test_a_share_of_none_keeps_none(tmp_path: Path, exporter: InMemorySpanExporter) -> None:
    text = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\nOTEL_TRACES_SAMPLER_ARG=0\n"
    tracing.configure("test", environment(tmp_path, text))
    with tracing.span("request", "server"):
        pass
    assert recorded(exporter) == {}


def test_a_failure_is_told_by_its_kind_and_not_by_its_text(
    exporter: InMemorySpanExporter,
) -> None:
    def fails() -> None:
        with tracing.span("call", "client"):
            raise ValueError("jane@example.com is no number")

    with pytest.raises(ValueError, match="jane"):
        fails()
    span = recorded(exporter)["call"]
    assert not span.status.is_ok
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert "jane" not in span.to_json()


def test_calls_of_our_services_and_of_providers_carry_it(
    exporter: InMemorySpanExporter, double: HTTPDouble
) -> None:
    service = InternalHTTP("user_service", double.url, "a-secret-of-our-services")
    provider = ProviderHTTP(double.url)
    with tracing.span("request", "server", parent=CLIENT):
        service.call("POST", "/batch/", body=b"{}")
        provider.post_bytes("/messages", b"{}", {})
    provider.close()
    headers = [request.headers["traceparent"].split("-") for request in double.requests]
    assert [trace for _, trace, _, _ in headers] == [TRACE, TRACE]
    assert headers[0][2] == span_id(recorded(exporter)["POST user_service"])


def test_nothing_is_added_where_it_is_off(double: HTTPDouble) -> None:
    InternalHTTP("user_service", double.url, "secret").call("POST", "/batch/", body=b"{}")
    assert "traceparent" not in double.requests[0].headers
