"""Pooled HTTP to one internal service: credentials, a timeout, a circuit breaker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import requests
import structlog
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ProtocolError

from carillon.clients.breaker import CircuitBreaker
from carillon.observability import tracing
from carillon.observability.correlation import HTTP_HEADER, current_correlation_id

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 1.0
READ_SECONDS = 4.0
CHECK_SECONDS = 2.5
POOL_SIZE = 32


class ServiceDown(Exception):
    """An internal service did not answer in time, or answered 5xx."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service} is unavailable")
        self.service = service


@dataclass(frozen=True, slots=True)
class Answer:
    """A status below 500 and what came with it."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class InternalHTTP:
    """Calls of one service, safe for many threads. No redirect is followed.

    Nothing is retried but a GET whose kept connection the service closed just then, which it does
    when it is restarted: once, on another connection.
    """

    def __init__(self, service: str, base_url: str, secret: str) -> None:
        self.service = service
        self.base_url = base_url.rstrip("/")
        self._secret = secret
        self._breaker = CircuitBreaker()
        self._session = requests.Session()
        # The environment's proxies are for the world outside.
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=POOL_SIZE, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def call(
        self,
        method: str,
        path: str,
        *,
        organization_id: str = "",
        query: str = "",
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        read_timeout: float = READ_SECONDS,
    ) -> Answer:
        """One call. `path` starts with a slash and is already quoted. Raises ServiceDown."""
        if not self._breaker.allows():
            raise ServiceDown(self.service)
        url = f"{self.base_url}{path}" + (f"?{query}" if query else "")
        with tracing.span(f"{method} {self.service}", "client") as span:
            request = requests.Request(
                method, url, data=body, headers=self._headers(organization_id, body, headers)
            )
            if span.traceparent:
                request.headers["traceparent"] = span.traceparent
            try:
                response = self._send(self._session.prepare_request(request), read_timeout)
            except requests.RequestException as error:
                span.fail(type(error).__name__)
                self._breaker.failed()
                log.warning("internal call failed", to=self.service, error=type(error).__name__)
                raise ServiceDown(self.service) from error
            span.set("http.response.status_code", response.status_code)
        if response.status_code >= 500:
            self._breaker.failed()
            log.warning("internal call failed", to=self.service, status=response.status_code)
            raise ServiceDown(self.service)
        self._breaker.succeeded()
        return Answer(response.status_code, response.content, response.headers)

    def check(self) -> None:
        """For health endpoints: raises unless the service says that it can serve."""
        response = self._session.get(
            f"{self.base_url}/health/ready/",
            timeout=(CONNECT_SECONDS, CHECK_SECONDS),
            allow_redirects=False,
        )
        response.raise_for_status()

    def _send(self, request: requests.PreparedRequest, read_timeout: float) -> requests.Response:
        timeout = (CONNECT_SECONDS, read_timeout)
        try:
            return self._session.send(request, timeout=timeout, allow_redirects=False)
        except requests.ConnectionError as error:
            closed = bool(error.args) and isinstance(error.args[0], ProtocolError)
            if request.method != "GET" or not closed:
                raise
        return self._session.send(request, timeout=timeout, allow_redirects=False)

    def _headers(
        self,
        organization_id: str,
        body: bytes | IO[bytes] | None,
        more: Mapping[str, str] | None,
    ) -> dict[str, str]:
        headers = dict(more or {})
        headers["X-Internal-Secret"] = self._secret
        if organization_id:
            headers["X-Organization-ID"] = organization_id
        correlation_id = current_correlation_id()
        if correlation_id:
            headers[HTTP_HEADER] = correlation_id
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        return headers
