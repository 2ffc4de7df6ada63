"""The HTTP that providers share: which losses are certain, and how long a wait is."""

import socket
import ssl
from collections.abc import Iterator

import pytest
import requests
import urllib3

from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.settings import SettingsError
from carillon.testing.http_double import HTTPDouble, Raw, Reply
from carillon.testing.patience import HASTE, PATIENCE
from carillon.worker.providers.http import (
    LONGEST_ANSWER,
    ProviderHTTP,
    failure_of,
    require_tls,
    retry_after,
)

NOW = 1_700_000_000.0


@pytest.fixture
def double() -> Iterator[HTTPDouble]:
    with HTTPDouble(lambda _: Reply(200, {"id": "1"}, took=True)) as double:
        yield double


@pytest.fixture
def http(double: HTTPDouble) -> Iterator[ProviderHTTP]:
    http = ProviderHTTP(double.url, timeout=PATIENCE)
    yield http
    http.close()


def test_a_refused_connection_sent_nothing() -> None:
    # Nobody else gets the port while it is bound.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        http = ProviderHTTP(f"http://127.0.0.1:{bound.getsockname()[1]}/canary-path")
        with pytest.raises(TemporaryFailure) as caught:
            http.post_json("/x", {})
        http.close()
    assert caught.value.reason is Reason.PROVIDER_UNAVAILABLE
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (requests.ConnectTimeout("slow"), TemporaryFailure),
        (requests.ReadTimeout("slow"), OutcomeUnknown),
        (requests.ConnectionError("reset"), OutcomeUnknown),
        (requests.exceptions.SSLError("bad record mac"), OutcomeUnknown),
        (
            requests.exceptions.SSLError(
                urllib3.exceptions.MaxRetryError(
                    None,  # type: ignore[arg-type]
                    "/",
                    urllib3.exceptions.SSLError(ssl.SSLCertVerificationError("expired")),
                )
            ),
            TemporaryFailure,
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_only_a_missing_connection_is_certain(
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    expected: type[Exception],
    http: ProviderHTTP,
) -> None:
    def request(*_args: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr(requests.Session, "request", request)
    with pytest.raises(expected):
        http.post_json("/", {})


def test_connections_are_kept(double: HTTPDouble, http: ProviderHTTP) -> None:
    for _ in range(5):
        assert http.post_json("/x", {"a": 1}).fields == {"id": "1"}
    assert len(double.requests) == 5
    assert double.open == 1


def test_an_endless_answer_is_cut(double: HTTPDouble, http: ProviderHTTP) -> None:
    double.says = Reply(400, body=b"x" * (3 * LONGEST_ANSWER))
    assert len(http.post_json("/", {}).body) == LONGEST_ANSWER
    double.says = Reply(200, body=b"x" * (3 * LONGEST_ANSWER))
    with pytest.raises(OutcomeUnknown):
        http.post_json("/", {})


def test_a_silent_server_costs_no_more_than_the_timeout(
    double: HTTPDouble, http: ProviderHTTP
) -> None:
    double.says = Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", then_silence=True)
    http._timeout = HASTE
    with pytest.raises(OutcomeUnknown):
        http.post_json("/", {})


def test_a_refusal_stands_although_its_body_is_lost(double: HTTPDouble, http: ProviderHTTP) -> None:
    double.says = Raw(b"HTTP/1.1 400 Bad\r\nContent-Length: 90\r\n\r\n{")
    assert http.post_json("/", {}).status == 400


def test_text_that_is_no_unicode_is_refused_unsent(double: HTTPDouble, http: ProviderHTTP) -> None:
    for call in (http.post_json, http.post_form):
        with pytest.raises(PermanentFailure) as caught:
            call("/", {"Body": "\ud800"})
        assert caught.value.reason is Reason.INVALID_CONTENT
    assert double.requests == []


def test_the_environment_lends_neither_proxy_nor_credentials(
    monkeypatch: pytest.MonkeyPatch, double: HTTPDouble, http: ProviderHTTP
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert http.post_json("/", {}).status == 200
    assert "Authorization" not in double.requests[0].headers


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:50 -0000"}, 30.0),
        ({"Retry-After": "Tue, 14 Nov 2000 22:13:50 GMT"}, 0.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"X-RateLimit-Reset": "1700000009"}, 9.0),
        ({"X-RateLimit-Reset": "1700000009", "X-RateLimit-Remaining": "0"}, 9.0),
        ({"X-RateLimit-Reset": "1700000009", "X-RateLimit-Remaining": "12"}, None),
        ({"X-RateLimit-Reset": "1600000009"}, 0.0),
        ({"X-RateLimit-Reset": "now"}, None),
        ({"Retry-After": "2", "X-RateLimit-Reset": "1700000009"}, 2.0),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_a_code_from_outside_is_shown_only_where_it_looks_like_one(
    double: HTTPDouble, http: ProviderHTTP
) -> None:
    double.says = Reply(400)
    answer = http.post_json("/", {})
    shown = [
        failure_of(answer, code, permanent={}, temporary={}).code
        for code in ("21610", "UNREGISTERED", "447700900987", "a@b.example", "see: +44", "")
    ]
    assert shown == ["21610", "UNREGISTERED", "400", "400", "400", "400"]


@pytest.mark.parametrize(
    "url", ["http://api.example.com", "https://u:p@x.example", "https://x?a=b"]
)
def test_credentials_travel_encrypted_and_alone(url: str) -> None:
    with pytest.raises(SettingsError, match="EXAMPLE_URL"):
        require_tls("EXAMPLE_URL", url)


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/eu", "http://127.0.0.1:9", "http://localhost:9", "http://[::1]"],
)
def test_doubles_on_this_machine_need_no_tls(url: str) -> None:
    assert require_tls("EXAMPLE_URL", url) == url


def test_a_get_has_no_body_and_is_read_the_same_way(double: HTTPDouble, http: ProviderHTTP) -> None:
    assert http.get("/x?y=1", headers={"X-Key": "1"}).fields == {"id": "1"}
    (request,) = double.requests
    assert (request.method, request.path, request.body) == ("GET", "/x?y=1", b"")
    assert request.headers["X-Key"] == "1"
