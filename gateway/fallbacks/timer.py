"""The timer that sends fallbacks, in the events process."""

import traceback

import structlog
from django.db import DatabaseError, InterfaceError, connection

from carillon.observability.correlation import bound
from gateway.deliveries.timers import Timer
from gateway.fallbacks import metrics
from gateway.fallbacks.models import Fallback
from gateway.fallbacks.services.claiming import TOGETHER, NotSent, claim_due
from gateway.fallbacks.services.sending import Result, advance, give_up
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
                with bound(fallback.notification.correlation_id):
                    _count(fallback, _result(fallback))
        except (DatabaseError, InterfaceError) as error:
            log.warning("fallbacks failed; they are tried again", error=repr(error))
        finally:
            # Django's own, of this thread: it would only take a place until there is more to do.
            connection.close()


def _result(fallback: Fallback) -> Result:
    """Raises Django's database errors."""
    try:
        return advance(fallback)
    except (DatabaseError, InterfaceError):
        raise
    except Exception as defect:  # noqa: BLE001  a bug of ours must not stop the others
        where = "".join(traceback.format_tb(defect.__traceback__))
        # Where, but not what: an exception's own text may quote a variable.
        log.error(
            "defect",
            error=type(defect).__name__,
            where=where,
            notification=fallback.notification_id,
        )
        return give_up(fallback, NotSent("internal_error"))


def _count(fallback: Fallback, result: Result) -> None:
    if result is not Result.UNCHANGED:
        metrics.SETTLED.labels(fallback.notification.channel, result.value).inc()
