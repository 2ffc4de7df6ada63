"""The timer that sends fallbacks, in the events process."""

import structlog
from django.db import DatabaseError, InterfaceError, connection

from gateway.deliveries.timers import Timer
from gateway.fallbacks import metrics
from gateway.fallbacks.models import Fallback
from gateway.fallbacks.services.claiming import TOGETHER, claim_due
from gateway.fallbacks.services.sending import Result, advance
from gateway.outbox.database import Connection

log = structlog.get_logger(__name__)

INTERVAL = 1.0
"""Seconds: a one-time password is waited for."""


class FallbackSender(Timer):
    """Sends what is due, one by one; what a crash or an outage stopped is due again."""

    name = "fallbacks"
    keeps_connection = True

    def __init__(self, interval: float = INTERVAL) -> None:
        super().__init__(interval)

    def look(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        while not self.stopping:
            due = claim_due(connection)
            if due:
                self._advance(due)
            if len(due) < TOGETHER:
                return

    def _advance(self, due: list[str]) -> None:
        """What the database fails is claimed, and due again in a while."""
        try:
            found = Fallback.objects.select_related(
                "notification__organization", "notification__content"
            )
            for fallback in found.filter(pk__in=due):
                if self.stopping:
                    return
                _count(fallback, advance(fallback))
        except (DatabaseError, InterfaceError) as error:
            log.warning("fallbacks failed; they are tried again", error=repr(error))
        finally:
            # Django's own, of this thread: it would only take a place until there is more to do.
            connection.close()


def _count(fallback: Fallback, result: Result) -> None:
    if result is not Result.UNCHANGED:
        metrics.SETTLED.labels(fallback.notification.channel, result.value).inc()
