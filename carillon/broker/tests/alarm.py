"""A link to RabbitMQ on which a memory alarm can be raised, told as the broker tells of it."""

import socket
import threading
from contextlib import suppress
from types import TracebackType

from pika import frame, spec  # type: ignore[import-untyped]


class AlarmingLink:
    """Forwards one connection. While the alarm is on, the client is told so and nothing it writes
    is read: that is what RabbitMQ does to a publishing connection.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._reading = threading.Event()
        self._reading.set()
        self._sockets: list[socket.socket] = [self._listener]
        self._near: socket.socket | None = None
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def raise_alarm(self) -> None:
        """RabbitMQ is low on memory. The link must be idle: the news goes between two frames."""
        self._reading.clear()
        self._tell(spec.Connection.Blocked("low on memory"))

    def clear_alarm(self) -> None:
        """RabbitMQ reads on, first what was written meanwhile."""
        self._tell(spec.Connection.Unblocked())
        self._reading.set()

    def __enter__(self) -> "AlarmingLink":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reading.set()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(60)

    def _tell(self, method: spec.Connection.Blocked | spec.Connection.Unblocked) -> None:
        assert self._near is not None
        self._near.sendall(frame.Method(0, method).marshal())

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._near = near
                self._sockets += [near, far]
                for source, sink, gate in ((near, far, self._reading), (far, near, None)):
                    carrier = threading.Thread(
                        target=self._carry, args=(source, sink, gate), daemon=True
                    )
                    self._threads.append(carrier)
                    carrier.start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket, gate: threading.Event | None) -> None:
        with suppress(OSError):
            while chunk := source.recv(65_536):
                if gate is not None:
                    gate.wait()
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
