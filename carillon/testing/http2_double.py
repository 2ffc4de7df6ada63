"""A double of a provider's HTTP/2 server, as `http_double` is of an HTTP/1.1 one.

It speaks cleartext HTTP/2 from the first byte on ("prior knowledge", RFC 9113, 3.3).
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from carillon.testing.http_double import Answering, Raw, Reply, Request, unknown
from carillon.testing.providers import Case

Act = Callable[[h2.connection.H2Connection, int], None]


class Frames(Raw):
    """What the server does on a stream in place of an answer; then silence or the end."""

    act: Act

    def __init__(self, act: Act, *, then_silence: bool = False) -> None:
        super().__init__(b"", then_silence)
        object.__setattr__(self, "act", act)


class HTTP2Double:
    """Answers with `answering`, unless `says` holds what to answer instead.

    Each stream is answered by a thread of its own; `streams` is how many it allows at once.
    """

    def __init__(self, answering: Answering, *, streams: int = 100) -> None:
        self.answering = answering
        self.says: Reply | Raw | None = None
        self.requests: list[Request] = []
        self.took = 0
        self.connected = 0
        self.most_at_once = 0
        self.stopping = threading.Event()
        self._streams = streams
        self._at_once = 0
        self._lock = threading.Lock()
        self._serving: list[_Served] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._thread = threading.Thread(target=self._accept)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _place: TracebackType | None,
    ) -> None:
        self.stopping.set()
        # Closing alone does not wake a thread that accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for served in self._serving:
            served.stop()

    @property
    def open(self) -> int:
        """The connections that it holds open."""
        with self._lock:
            return sum(served.is_alive() for served in self._serving)

    def answer(self, request: Request) -> Reply | Raw:
        """What to answer; counts what was taken."""
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        reply = self.says or self.answering(request)
        with self._lock:
            self._at_once -= 1
            self.requests.append(request)
            self.took += isinstance(reply, Reply) and reply.took
        return reply

    def drop(self) -> None:
        """End every connection, as a server does that is restarted; clients have noticed it."""
        for served in list(self._serving):
            served.part()

    def say_goodbye(self) -> None:
        """Ask for the end of every connection (GOAWAY), and wait until clients have ended it."""
        for served in list(self._serving):
            served.part(with_goodbye=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            served = _Served(self, client, self._streams)
            with self._lock:
                self.connected += 1
                self._serving.append(served)
            served.start()


class _Served(threading.Thread):
    """One connection of a client."""

    def __init__(self, double: HTTP2Double, client: socket.socket, streams: int) -> None:
        super().__init__(daemon=True)
        self._double = double
        self._client = client
        self._guard = threading.Lock()
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        self._h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: streams},
        )
        self._heads: dict[int, dict[str, str]] = {}
        self._bodies: dict[int, bytes] = {}
        self._answering: list[threading.Thread] = []

    def run(self) -> None:
        """The connection's life."""
        try:
            with self._guard:
                self._h2.initiate_connection()
                self._flush()
            while data := self._client.recv(65_536):
                with self._guard:
                    for event in self._h2.receive_data(data):
                        self._heed(event)
                    self._flush()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        finally:
            self._client.close()

    def stop(self) -> None:
        """End the connection, and wait for all that is done on it."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)
        self.join()
        for thread in self._answering:
            thread.join()

    def part(self, *, with_goodbye: bool = False) -> None:
        """Say nothing more; wait until the client has ended its side as well."""
        with suppress(OSError, h2.exceptions.ProtocolError), self._guard:
            if with_goodbye:
                self._h2.close_connection()
                self._flush()
            else:
                self._client.shutdown(socket.SHUT_WR)
        self.join(60)

    def _heed(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self._heads[event.stream_id] = {str(n): str(v) for n, v in event.headers}
            self._bodies[event.stream_id] = b""
        elif isinstance(event, h2.events.DataReceived):
            self._bodies[event.stream_id] += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            thread = threading.Thread(target=self._serve, args=(event.stream_id,), daemon=True)
            self._answering.append(thread)
            thread.start()

    def _serve(self, stream: int) -> None:
        head = self._heads.pop(stream)
        request = Request(head[":method"], head[":path"], head, self._bodies.pop(stream))
        reply = self._double.answer(request)
        with suppress(OSError, h2.exceptions.ProtocolError):
            self._send(stream, reply)

    def _send(self, stream: int, reply: Reply | Raw) -> None:
        if isinstance(reply, Raw):
            with self._guard:
                if isinstance(reply, Frames):
                    reply.act(self._h2, stream)
                    self._flush()
                self._client.sendall(reply.octets)
            if reply.then_silence:
                self._double.stopping.wait()
            else:
                self._client.shutdown(socket.SHUT_RDWR)
            return
        octets = reply.octets
        with self._guard:
            headers = [(name.lower(), value) for name, value in reply.headers.items()]
            self._h2.send_headers(stream, [(":status", str(reply.status)), *headers])
            self._h2.send_data(stream, octets, end_stream=True)
            self._flush()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._client.sendall(data)


def http2_cases() -> tuple[Case, ...]:
    """What any HTTP/2 server may do to a call on its way."""

    def half(connection: h2.connection.H2Connection, stream: int) -> None:
        connection.send_headers(stream, [(":status", "200")])

    def reset(connection: h2.connection.H2Connection, stream: int) -> None:
        connection.reset_stream(stream, 2)

    def goodbye(connection: h2.connection.H2Connection, stream: int) -> None:
        connection.close_connection()

    return (
        unknown("silent", Raw(then_silence=True)),
        unknown("hangs up", Raw()),
        unknown("no HTTP/2", Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
        unknown("garbage", Raw(b"\x00\xff" * 64)),
        unknown("half an answer", Frames(half)),
        unknown("half an answer, then silence", Frames(half, then_silence=True)),
        unknown("breaks the stream off", Frames(reset, then_silence=True)),
        unknown("ends the connection in between", Frames(goodbye)),
        unknown("gateway lost it", Reply(504)),
    )
