"""The timer that has dead devices disabled, in the events process."""

from collections.abc import Callable

import structlog

from carillon.clients.http import InternalHTTP, ServiceDown
from gateway.deliveries import metrics
from gateway.deliveries.services.dead_devices import (
    find_dead_devices,
    forget_dead_devices,
    tell_user_service,
)
from gateway.deliveries.timers import Timer
from gateway.outbox.database import Connection

log = structlog.get_logger(__name__)

AT_ONCE = 100


class DeviceDisabler(Timer):
    """Tells the user service; whom it could not tell it tells the next time.

    Several processes may do so.
    """

    name = "dead_devices"
    keeps_connection = True

    def __init__(self, interval: float, client: Callable[[], InternalHTTP]) -> None:
        super().__init__(interval)
        self._client = client

    def look(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        try:
            self._tell(connection)
        except ServiceDown:
            log.warning("dead devices wait for the user service")

    def _tell(self, connection: Connection) -> None:
        while not self.stopping:
            devices = find_dead_devices(connection, AT_ONCE)
            if not devices:
                return
            known = tell_user_service(self._client(), devices)
            forget_dead_devices(connection, known)
            metrics.DEVICES_DISABLED.inc(len(known))
            if len(devices) < AT_ONCE or not known:
                return
