"""Waits with a bound, for tests of what happens at the same time."""

import pytest
from django.db import connection

PATIENCE = 30
"""Seconds."""


def until_somebody_waits() -> None:
    """Another connection waits for a lock."""
    for _ in range(PATIENCE * 100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    pytest.fail("nobody waited for the lock")
