"""A connection to RabbitMQ that a thread keeps open: parameters, I/O loop, reconnecting."""

import os
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import pika  # type: ignore[import-untyped]
import structlog
from pika.adapters.select_connection import IOLoop  # type: ignore[import-untyped]

from carillon import __version__
from carillon.broker import metrics

log = structlog.get_logger(__name__)

# Seconds. pika notices a silent broker after HEARTBEAT + 5.
HEARTBEAT = 10
SOCKET_TIMEOUT = 5.0
# TCP, TLS and AMQP handshakes together.
STACK_TIMEOUT = 10.0
# From TCP to usable, with the topology declared.
SETUP_TIMEOUT = 20.0
# A connection that RabbitMQ blocked this long is made anew, should "unblocked" have been lost.
BLOCKED_TIMEOUT = 300.0
# How long a broker may take to answer a polite goodbye.
CLOSE_GRACE = 1.0
TICK = 1.0
# A connection that lived this long was a good one: the next failure starts the backoff anew.
SETTLED_AFTER = 5.0


class Backoff:
    """Exponential delays with jitter: `first` seconds, doubling, at most `most`."""

    def __init__(self, first: float = 0.1, most: float = 5.0) -> None:
        self._first = first
        self._most = most
        self._failures = 0

    def reset(self) -> None:
        """The next delay is the first again."""
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait: half of the step is certain, half random, so that crowds disperse."""
        step = min(self._most, self._first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return step * random.uniform(0.5, 1.0)  # noqa: S311  spreading, not secrecy


def parameters(url: str, name: str) -> Any:
    """pika's parameters for `url`; the connection appears as `name@host:pid` in RabbitMQ."""
    result = pika.URLParameters(url)
    result.heartbeat = HEARTBEAT
    result.blocked_connection_timeout = BLOCKED_TIMEOUT
    result.socket_timeout = SOCKET_TIMEOUT
    result.stack_timeout = STACK_TIMEOUT
    # The retries are ours, with backoff.
    result.connection_attempts = 1
    result.client_properties = {
        "connection_name": f"{name}@{socket.gethostname()}:{os.getpid()}",
        "product": "Carillon",
        "version": __version__,
    }
    return result


def describe(error: BaseException | None) -> str:
    """The innermost cause in pika's nested connection errors, without addresses or secrets."""
    while error is not None:
        inner = getattr(error, "exceptions", None) or [getattr(error, "exception", None)]
        cause = inner[-1] or next((a for a in error.args if isinstance(a, BaseException)), None)
        if cause is None or cause is error:
            break
        error = cause
    return repr(error)


class Owner(Protocol):
    """Who uses a Link: called on its I/O thread alone."""

    def on_connected(self, connection: Any) -> None:
        """Set up channels, then call `Link.ready`."""

    def on_disconnected(self, reason: str) -> None:
        """The connection is gone, with all its channels. Also called for a failed attempt."""

    def on_closing(self) -> None:
        """Finish what is under way, then call `Link.finish`. Only called while ready."""


class Link:
    """A thread with an I/O loop that keeps one AMQP connection open until it is closed.

    Every connection gets a fresh loop, so that nothing of a broken one survives it.
    """

    def __init__(self, url: str, name: str, role: str, owner: Owner) -> None:
        self._parameters = parameters(url, name)
        self._owner = owner
        self._role = role
        self._log = log.bind(connection=name, role=role)
        self._thread = threading.Thread(target=self._run, name=f"amqp-{role}", daemon=True)
        self._closing = threading.Event()
        self._ready = threading.Event()
        self._loop: Any = None
        self._connection: Any = None
        self._finishing = False
        self._informed = False
        self._turned = time.monotonic()
        self.last_reason = "not yet connected"

    # --- for any thread

    @property
    def is_ready(self) -> bool:
        """True while the owner's channels are set up."""
        return self._ready.is_set()

    @property
    def seconds_since_turn(self) -> float:
        """Age of the loop's last turn; it turns at least once in TICK seconds."""
        return time.monotonic() - self._turned

    def wait_ready(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until the owner's channels are set up."""
        return self._ready.wait(timeout)

    def start(self) -> None:
        """Start the thread; once only."""
        self._thread.start()

    def call(self, callback: Callable[[], None]) -> None:
        """Run `callback` on the I/O thread soon; dropped where there is no connection."""
        loop = self._loop
        if loop is not None:
            loop.add_callback_threadsafe(callback)

    def close(self, timeout: float) -> None:
        """Let the owner finish, disconnect, and end the thread; at most `timeout` seconds."""
        deadline = time.monotonic() + timeout
        if not self._closing.is_set():
            self._closing.set()
            self.call(lambda: self._begin_closing(deadline))
        if self._thread.is_alive():
            # The goodbye itself has a bound of its own, after the owner's.
            self._thread.join(timeout + 2 * CLOSE_GRACE)

    # --- for the I/O thread

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Run `callback` on this connection's loop after `seconds`; lost with the connection."""
        if self._loop is not None:
            self._loop.call_later(seconds, callback)

    def ready(self) -> None:
        """The owner's channels are set up."""
        # First: whoever closes after this check finds the link ready, and lets the owner finish.
        if self._closing.is_set():
            self.finish()
            return
        metrics.CONNECTIONS.labels(self._role, "opened").inc()
        self._log.info("connected to RabbitMQ")
        self._ready.set()

    def drop(self, reason: str) -> None:
        """End this connection and make another, after a backoff."""
        if not self._finishing:
            self.last_reason = reason
            self.finish()

    def finish(self) -> None:
        """Say goodbye to the broker; hang up where it does not answer."""
        self._ready.clear()
        if not self._finishing and not self._connection.is_closed:
            self._finishing = True
            self._connection.close()
            self.later(CLOSE_GRACE, self._hang_up)

    def _begin_closing(self, deadline: float) -> None:
        if not self._ready.is_set():
            self.finish()
            return
        self.later(max(0.0, deadline - time.monotonic()), self.finish)
        self._owner.on_closing()

    def _hang_up(self) -> None:
        if not self._connection.is_closed:
            # pika has no public way to abandon an open connection whose peer is silent; this is
            # what its own heartbeat check calls.
            self._connection._terminate_stream(
                pika.exceptions.ConnectionClosedByClient(200, "the broker did not answer")
            )

    def _run(self) -> None:
        backoff = Backoff()
        while not self._closing.is_set():
            began = time.monotonic()
            self._serve()
            if time.monotonic() - began > SETTLED_AFTER:
                backoff.reset()
            if not self._closing.is_set():
                self._pause(backoff.next())

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._log.warning(
            "not connected to RabbitMQ", reason=self.last_reason, retry_in=round(seconds, 2)
        )
        while (left := until - time.monotonic()) > 0:
            self._turned = time.monotonic()
            if self._closing.wait(min(left, TICK)):
                return

    def _serve(self) -> None:
        """One connection, from its beginning to its end."""
        loop = self._loop = IOLoop()
        self._finishing = self._informed = False
        try:
            self._connection = pika.SelectConnection(
                self._parameters,
                on_open_callback=self._opened,
                on_open_error_callback=self._ended,
                on_close_callback=self._ended,
                custom_ioloop=loop,
            )
            self._tick()
            self.later(SETUP_TIMEOUT, self._check_setup)
            loop.start()
        except Exception:  # noqa: BLE001  a bug, ours or pika's, must not end the process's only link
            self.last_reason = "the I/O loop failed"
            self._log.exception("the I/O loop failed; connecting anew")
            self._salvage(loop)
        finally:
            self._loop = self._connection = None
            loop.close()

    def _salvage(self, loop: Any) -> None:
        """Close the socket after a failure of the loop, so that the broker hears of it."""
        try:
            loop.call_later(CLOSE_GRACE, loop.stop)
            if self._connection is not None:
                self._hang_up()
                loop.start()
        except Exception:  # noqa: BLE001  the first failure is logged; the socket is left to the GC
            self._log.warning("could not close a failed connection")
        if not self._informed:
            self._lost()

    def _opened(self, connection: Any) -> None:
        if self._closing.is_set():
            self.finish()
        else:
            self._owner.on_connected(connection)

    def _ended(self, _connection: Any, error: BaseException) -> None:
        if not isinstance(error, pika.exceptions.ConnectionClosedByClient):
            self.last_reason = describe(error)
        try:
            self._lost()
        finally:
            self._loop.stop()

    def _lost(self) -> None:
        self._informed = True
        self._ready.clear()
        metrics.CONNECTIONS.labels(self._role, "lost").inc()
        self._owner.on_disconnected(self.last_reason)

    def _check_setup(self) -> None:
        if not self._ready.is_set():
            self.drop(f"not usable within {SETUP_TIMEOUT:g} s")

    def _tick(self) -> None:
        self._turned = time.monotonic()
        self.later(TICK, self._tick)
