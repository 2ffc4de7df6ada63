"""A short visit to RabbitMQ in the caller's thread, strictly bounded in time."""

from collections.abc import Callable
from typing import Any

import pika  # type: ignore[import-untyped]
from pika.adapters.select_connection import IOLoop  # type: ignore[import-untyped]

from carillon.broker.connection import describe, parameters
from carillon.broker.errors import BrokerUnavailable


class Visit:
    """Connects, lets the caller do something, disconnects."""

    def __init__(self, url: str, name: str, timeout: float) -> None:
        self._parameters = parameters(url, name)
        self._parameters.socket_timeout = timeout
        self._parameters.stack_timeout = timeout
        self._timeout = timeout
        self._loop = IOLoop()
        self._connection: Any = None
        self._succeeded = False
        self._reason = f"no answer within {timeout:g} s"

    def run(self, use: Callable[[Any, "Visit"], None]) -> None:
        """Call `use(connection, self)`, and wait until it calls `succeed` or `fail`.

        Raises BrokerUnavailable where it did not succeed within the time.
        """
        try:
            self._connection = pika.SelectConnection(
                self._parameters,
                on_open_callback=lambda connection: use(connection, self),
                on_open_error_callback=self._ended,
                on_close_callback=self._ended,
                custom_ioloop=self._loop,
            )
            self._loop.call_later(self._timeout, self._hang_up)
            self._loop.start()
        finally:
            self._loop.close()
        if not self._succeeded:
            raise BrokerUnavailable(f"RabbitMQ is not usable: {self._reason}")

    def succeed(self) -> None:
        """What the visit was for is done."""
        self._succeeded = True
        self._connection.close()

    def fail(self, reason: str) -> None:
        """What the visit was for cannot be done."""
        self._reason = reason
        self._connection.close()

    def _ended(self, _connection: Any, error: BaseException) -> None:
        if not isinstance(error, pika.exceptions.ConnectionClosedByClient):
            self._reason = describe(error)
        self._loop.stop()

    def _hang_up(self) -> None:
        # As in connection.Link: pika has no public way to abandon a silent peer.
        self._connection._terminate_stream(
            pika.exceptions.ConnectionClosedByClient(200, "the time is up")
        )
