"""`manage.py rebuild_analytics`: count everything anew."""

import time
from typing import Any

from django.core.management.base import BaseCommand

from carillon.contracts import ids
from gateway.analytics.services.rollups import rebuild
from gateway.outbox.database import connect

IDLE_IN_TRANSACTION = 60.0
# Seconds between two lines of progress.
TELL_EVERY = 2.0


class Command(BaseCommand):
    """Safe at any time: the platform runs on, and the rollups are never wrong for long."""

    help = (
        "Make the rollups behind GET /api/v1/notifications/analytics/ anew, from the notifications "
        "themselves. Only somebody's hand in the database makes it necessary."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises psycopg.Error where the database is away: run it again."""
        started = told = time.monotonic()
        days = 0
        # A day of a large organization may take its time.
        unlimited = "-c statement_timeout=0"
        with connect(
            "rebuild_analytics", idle_in_transaction=IDLE_IN_TRANSACTION, options=unlimited
        ) as session:
            for progress in rebuild(session):
                days = progress.done
                if time.monotonic() - told >= TELL_EVERY:
                    told = time.monotonic()
                    organization = ids.format_id(ids.ORGANIZATION, progress.organization)
                    self.stdout.write(
                        f"{progress.done} of {progress.total} days: {organization}, "
                        f"{progress.day:%Y-%m-%d}"
                    )
        self.stdout.write(f"{days} days were counted in {time.monotonic() - started:.1f} s.")
