"""Waits with a bound, for tests of what happens at the same time."""

import pytest
from django.db import connection

PATIENCE = 60
"""Seconds."""

_WAITING = """
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
"""


def until_somebody_waits() -> None:
    """Another connection waits for a lock of ours, not of some other suite's on this server."""
    for _ in range(PATIENCE * 100):
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    pytest.fail("nobody waited for the lock")
