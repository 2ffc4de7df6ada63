"""Internal clients against a real HTTP server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from carillon.clients.breaker import CircuitBreaker
from carillon.clients.http import InternalHTTP, ServiceDown
from carillon.clients.organizations import sync_organization
from carillon.clients.records import user_lookup
from carillon.contracts.records import UserRecord
from carillon.observability import correlation
from carillon.record_cache import Cached
from carillon.redis_client import connect


class Double:
    """An internal service that answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        # So many requests are read and then answered by closing the connection.
        self.drops = 0
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                double.requests.append((self.command, self.path, dict(self.headers), body))
                if double.drops:
                    double.drops -= 1
                    self.close_connection = True
                    return
                self.send_response(double.status)
                self.send_header("Content-Length", str(len(double.body)))
                self.send_header("Location", "/elsewhere/")
                self.end_headers()
                self.wfile.write(double.body)

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def double() -> Iterator[Double]:
    running = Double()
    yield running
    running.stop()


@pytest.fixture
def http(double: Double) -> Iterator[InternalHTTP]:
    client = InternalHTTP("user_service", double.url, "the-internal-secret")
    yield client
    client._session.close()


def test_a_call_carries_the_secret_the_organization_and_the_correlation_id(
    http: InternalHTTP, double: Double
) -> None:
    with correlation.bound("corr_test"):
        http.call("POST", "/x/", organization_id="org_1", query="a=1", body=b"{}")
    method, path, headers, body = double.requests[0]
    assert (method, path, body) == ("POST", "/x/?a=1", b"{}")
    assert headers["X-Internal-Secret"] == "the-internal-secret"
    assert headers["X-Organization-ID"] == "org_1"
    assert headers["X-Correlation-ID"] == "corr_test"
    assert headers["Content-Type"] == "application/json"


def test_redirects_are_not_followed(http: InternalHTTP, double: Double) -> None:
    double.status = 302
    assert http.call("GET", "/x/").status == 302
    assert len(double.requests) == 1


def test_a_server_error_means_down_and_the_breaker_spares_the_service(
    http: InternalHTTP, double: Double
) -> None:
    double.status = 503
    for _ in range(8):
        with pytest.raises(ServiceDown):
            http.call("GET", "/x/")
    assert len(double.requests) == 5


def test_a_refused_connection_means_down() -> None:
    with pytest.raises(ServiceDown, match="user_service"):
        InternalHTTP("user_service", "http://127.0.0.1:1", "s").call("GET", "/x/")


def test_a_reading_call_outlives_a_restart_of_the_service(
    http: InternalHTTP, double: Double
) -> None:
    http.call("GET", "/first/")
    double.drops = 1
    assert http.call("GET", "/second/").status == 200
    assert [path for _, path, _, _ in double.requests] == ["/first/", "/second/", "/second/"]


def test_a_service_that_only_hangs_up_is_down(http: InternalHTTP, double: Double) -> None:
    double.drops = 3
    with pytest.raises(ServiceDown):
        http.call("GET", "/thing/")
    assert len(double.requests) == 2


def test_a_call_that_changes_something_is_made_once(http: InternalHTTP, double: Double) -> None:
    double.drops = 1
    with pytest.raises(ServiceDown):
        http.call("POST", "/things/", body=b"{}")
    assert len(double.requests) == 1


def test_syncing_an_organization(http: InternalHTTP, double: Double) -> None:
    double.status = 201
    sync_organization(http, organization_id="org_1", name="Acme", is_active=True)
    assert json.loads(double.requests[0][3])["organization_id"] == "org_1"
    double.status = 400
    with pytest.raises(ServiceDown):
        sync_organization(http, organization_id="org_1", name="Acme", is_active=True)


class TestLookup:
    """Cache, then the service, then what is stale. The cache's own tests need Redis."""

    ANN = UserRecord(user_id="user_1", revision=1, name="Ann")

    @pytest.fixture
    def lookup(self, http: InternalHTTP):  # type: ignore[no-untyped-def]
        with connect("redis://127.0.0.1:1/0", timeout=0.2) as nowhere:
            yield user_lookup(http, nowhere)

    def test_a_fresh_entry_needs_no_call(self, lookup, double: Double) -> None:  # type: ignore[no-untyped-def]
        found = lookup.complete("org_1", "user_1", Cached(self.ANN, fresh=True))
        assert found == self.ANN
        assert double.requests == []

    def test_a_fresh_absence_needs_no_call(self, lookup, double: Double) -> None:  # type: ignore[no-untyped-def]
        assert lookup.complete("org_1", "user_1", Cached(None, fresh=True)) is None
        assert double.requests == []

    def test_without_redis_the_service_is_asked(self, lookup, double: Double) -> None:  # type: ignore[no-untyped-def]
        double.body = b'{"user_id": "user_1", "revision": 1, "name": "Ann"}'
        assert lookup.get("org_1", "user_1") == self.ANN

    def test_an_identifier_cannot_leave_its_path(self, lookup, double: Double) -> None:  # type: ignore[no-untyped-def]
        double.status = 404
        assert lookup.get("org_1", "../../internal/organizations/?x=") is None
        assert double.requests[0][1] == (
            "/internal/users/..%2F..%2Finternal%2Forganizations%2F%3Fx%3D/"
        )

    def test_a_stale_entry_bridges_an_outage(self, lookup, double: Double) -> None:  # type: ignore[no-untyped-def]
        double.status = 500
        assert lookup.complete("org_1", "user_1", Cached(self.ANN, fresh=False)) == self.ANN

    @pytest.mark.parametrize(
        ("status", "body"), [(500, b""), (401, b"{}"), (200, b"garbage"), (200, b"{}")]
    )
    def test_without_an_entry_an_outage_is_an_outage(  # type: ignore[no-untyped-def]
        self, lookup, double: Double, status: int, body: bytes
    ) -> None:
        double.status, double.body = status, body
        with pytest.raises(ServiceDown):
            lookup.complete("org_1", "user_1", None)


def test_an_open_breaker_lets_one_probe_through_after_its_cooldown() -> None:
    now = [0.0]
    breaker = CircuitBreaker(failures=2, cooldown=10, clock=lambda: now[0])
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    now[0] = 10
    assert breaker.allows()
    assert not breaker.allows()
    breaker.succeeded()
    assert breaker.allows()
