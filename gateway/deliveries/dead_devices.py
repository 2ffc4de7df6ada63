"""The timer that has dead devices disabled, beside the consumer of events."""

import threading
from collections.abc import Callable
from types import TracebackType

import psycopg
import structlog

from carillon.clients.http import InternalHTTP, ServiceDown
from gateway.deliveries import metrics
from gateway.deliveries.services.dead_devices import (
    find_dead_devices,
    forget_dead_devices,
    tell_user_service,
)
from gateway.outbox.database import Session

log = structlog.get_logger(__name__)

AT_ONCE = 100
IDLE_IN_TRANSACTION = 30.0


class DeviceDisabler:
    """A thread that tells the user service every `interval` seconds, while inside the `with` block.

    Whom it could not tell it tells the next time. Several processes may do so.
    """

    def __init__(self, interval: float, client: Callable[[], InternalHTTP]) -> None:
        self._interval = interval
        self._client = client
        self._stop = threading.Event()
        self._session = Session("dead_devices", idle_in_transaction=IDLE_IN_TRANSACTION)
        self._thread = threading.Thread(target=self._run, name="dead-devices", daemon=True)

    def __enter__(self) -> "DeviceDisabler":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self._tell()
            except ServiceDown:
                log.warning("dead devices wait for the user service")
            except psycopg.Error as error:
                log.warning("could not look for dead devices", error=repr(error))
                self._session.drop()
        self._session.drop()

    def _tell(self) -> None:
        while not self._stop.is_set():
            devices = find_dead_devices(self._session.connection(), AT_ONCE)
            if not devices:
                return
            known = tell_user_service(self._client(), devices)
            forget_dead_devices(self._session.connection(), known)
            metrics.DEVICES_DISABLED.inc(len(known))
            if len(devices) < AT_ONCE or not known:
                return
