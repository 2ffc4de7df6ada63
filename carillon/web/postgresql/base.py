"""The database backend: Django's own, whose connections have the request's patience."""

from functools import partial
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

from carillon.web.postgresql.patience import left

# Seconds after which psycopg looks whether it was interrupted; its own default.
INTERVAL = 0.1


class DatabaseWrapper(base.DatabaseWrapper):
    """What Django loads for ENGINE "carillon.web.postgresql"."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection; connecting itself is bounded by `connect_timeout`."""
        connection = super().get_new_connection(conn_params)
        # psycopg waits for every answer by this method, and Django names no class for connections.
        connection.wait = partial(wait_patiently, connection)
        return connection


def wait_patiently(
    connection: "psycopg.Connection[Any]",
    gen: PQGen[Any],
    interval: float = INTERVAL,
    timeout: float | None = None,
) -> Any:
    """As Connection.wait. Raises OperationalError, the connection closed, where patience ends."""
    bound = left() if timeout is None else timeout
    try:
        return psycopg.Connection.wait(connection, gen, interval, bound)
    except psycopg.OperationalError:
        if left() == 0:
            # Its answer may still come, and would be taken for that of the next statement.
            connection.pgconn.finish()
        raise
