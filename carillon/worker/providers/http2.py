"""HTTP/2 for providers that speak nothing else: one connection, many streams, bounded calls.

As in `carillon.worker.providers.http` nothing is retried but what the server has certainly not
seen, and no error repeats a URL, a header or a body. RFC 9113; the protocol's state is h2's.
"""

import threading
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from requests.structures import CaseInsensitiveDict

from carillon.errors import Reason, TemporaryFailure
from carillon.worker.providers.http import CONNECT_SECONDS, DEFAULT_SECONDS, Answer, retry_after
from carillon.worker.providers.http2_connection import Connection, NotSent
from carillon.worker.providers.http2_socket import ConnectFailed, connect


class ProviderHTTP2:
    """Calls of one provider with one credential, safe for many threads, over one connection.

    The connection is opened by the first call and again where it was lost or asked to end.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float = DEFAULT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._scheme = parts.scheme
        self._authority = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One call. `path` is already quoted. Raises TemporaryFailure or OutcomeUnknown."""
        head = [
            (":method", "POST"),
            (":scheme", self._scheme),
            (":authority", self._authority),
            (":path", f"{self._prefix}{path}"),
            *((name.lower(), value) for name, value in headers.items()),
        ]
        try:
            answer = self._on_a_connection(head, body)
        except NotSent:
            raise TemporaryFailure(
                "The connection to the provider ended before the message was sent.",
                reason=Reason.PROVIDER_UNAVAILABLE,
            ) from None
        # On this wire all names are in small letters.
        said: CaseInsensitiveDict[str] = CaseInsensitiveDict(answer.headers)
        return Answer(answer.status, said, answer.body, retry_after(said, self._clock()))

    def close(self) -> None:
        """Close the connection; no call is under way."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _on_a_connection(self, head: list[tuple[str, str]], body: bytes) -> Answer:
        """What an old connection certainly did not send goes over a new one, once."""
        connection, is_new = self._current()
        try:
            return connection.call(head, body, self._timeout)
        except NotSent:
            if is_new:
                raise
        return self._current()[0].call(head, body, self._timeout)

    def _current(self) -> tuple[Connection, bool]:
        """The connection, and whether it was made for this call. Raises TemporaryFailure."""
        with self._lock:
            if self._connection is not None and self._connection.usable:
                return self._connection, False
            retired, self._connection = self._connection, None
            if retired is not None:
                retired.close()
            try:
                seconds = min(CONNECT_SECONDS, self._timeout)
                channel = connect(
                    self._host, self._port, tls=self._scheme == "https", seconds=seconds
                )
            except ConnectFailed as failure:
                raise TemporaryFailure(
                    "No connection to the provider.",
                    reason=Reason.TIMED_OUT if failure.timed_out else Reason.PROVIDER_UNAVAILABLE,
                ) from None
            self._connection = Connection(channel)
            return self._connection, True
