"""A thread in every web process that tells the gateway of erasures: at once, then again."""

import threading

import structlog
from django.db import Error, connection

from carillon.observability.correlation import bound, new_correlation_id
from user_service.erasure.services import tell_due

log = structlog.get_logger(__name__)

INTERVAL = 30.0
"""Seconds between two looks at what another process left, or an earlier attempt."""


class Teller:
    """Looks every `interval` seconds, and whenever it is woken."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._awake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="erasures", daemon=True)

    def start(self) -> None:
        """Once per process, after it was forked."""
        self._thread.start()

    def wake(self) -> None:
        """Something is due. Does nothing where the thread was not started."""
        self._awake.set()

    def stop(self) -> None:
        """For tests: a daemon thread ends with its process, and what it was at is told again."""
        self._stopping = True
        self.wake()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            self._awake.wait(self._interval)
            self._awake.clear()
            if self._stopping:
                return
            try:
                with bound(new_correlation_id()):
                    while tell_due().done:
                        pass
            except Error as error:
                log.warning("erasures could not be read", error=type(error).__name__)
            finally:
                # A connection that is used twice a minute would only take a place.
                connection.close()


teller = Teller()
"""This process's; `user_service.wsgi` starts it."""
