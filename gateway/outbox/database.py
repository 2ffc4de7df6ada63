"""A database session of its own for a process that writes in windows, without the ORM."""

from typing import Any, TypeAlias

import psycopg
import structlog
from django.db import connection as django_connection

log = structlog.get_logger(__name__)

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

# Seconds. A silent server, or a silent client with locks, is noticed within about 15 of them.
_SERVER_KEEPALIVE = (
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3 "
    "-c tcp_user_timeout=15000"
)

# A table that was empty a minute ago may hold a flood: until its statistics follow, the plan that
# is kept for a prepared statement is that of the empty table, and reads all of it. For sessions
# whose statements look up by index, whatever the tables hold.
BY_INDEX = " ".join(
    f"-c enable_{method}=off" for method in ("seqscan", "bitmapscan", "hashjoin", "mergejoin")
)


def connect(name: str, *, idle_in_transaction: float, options: str = "") -> Connection:
    """A new session on Django's default database, shown there as `name`.

    The server ends it, and frees what it locked, where it rests inside a transaction for more
    than `idle_in_transaction` seconds: a process that was stopped must not hold up the others.
    Raises psycopg.Error.
    """
    settings = django_connection.settings_dict
    of_django: dict[str, Any] = settings["OPTIONS"]
    return psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"] or None,
        dbname=settings["NAME"],
        connect_timeout=of_django.get("connect_timeout", 3),
        application_name=name,
        options=" ".join(
            (
                of_django.get("options", ""),
                _SERVER_KEEPALIVE,
                f"-c idle_in_transaction_session_timeout={int(idle_in_transaction * 1000)}",
                # Timestamps come back in it; comparing them costs less where it is UTC.
                "-c timezone=UTC",
                options,
            )
        ),
        tcp_user_timeout=15_000,
        keepalives_idle=5,
        keepalives_interval=3,
        keepalives_count=3,
        prepare_threshold=1 if of_django.get("prepare_threshold") else None,
    )


class Session:
    """A connection that is made when needed, and made anew after `drop`."""

    def __init__(self, name: str, *, idle_in_transaction: float, options: str = "") -> None:
        self._name = name
        self._idle_in_transaction = idle_in_transaction
        self._options = options
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """The open connection. Raises psycopg.Error."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(
                self._name,
                idle_in_transaction=self._idle_in_transaction,
                options=self._options,
            )
            log.info("connected to the database", session=self._name)
        return self._connection

    def release(self) -> None:
        """End the transaction without a commit, and with it every lock."""
        try:
            if self._connection is not None:
                self._connection.rollback()
        except psycopg.Error:
            self.drop()

    def drop(self) -> None:
        """Close without a commit: what was not committed never was."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
