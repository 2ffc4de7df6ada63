"""A statement that runs for every request: prepared once for each connection, its values encoded.

psycopg's cursors cost half as long again as such a statement takes: they read the query, choose
how to dump each value and which plan to keep, each time anew. Here all of that is known.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias
from weakref import WeakSet

import psycopg
from psycopg import errors, generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult

Connection: TypeAlias = "psycopg.Connection[Any]"

# As psycopg writes them: %(name)t is sent as text, %(name)b as the bytes that the type's receive
# function reads. The text of a varchar goes as bytes: with their length, so that a NUL is an error
# and does not cut it short.
_PLACEHOLDER = re.compile(r"%\((\w+)\)([bt])")
_FORMATS = {"b": Format.BINARY, "t": Format.TEXT}
_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Statement:
    """One query with `%(name)b` and `%(name)t`, known to connections as `name`."""

    def __init__(self, name: str, query: str) -> None:
        self._name = name.encode()
        self._order: list[str] = []
        self._formats: list[int] = []
        self._query = _PLACEHOLDER.sub(self._numbered, query).encode()
        self._prepared: WeakSet[Connection] = WeakSet()

    def run(self, connection: Connection, values: Mapping[str, bytes | None]) -> PGresult:
        """What it returned. Raises psycopg.Error, and KeyError for a value that is missing."""
        parameters = [values[name] for name in self._order]
        if not connection.autocommit and _is_idle(connection):
            # psycopg begins a transaction with a statement of its own cursors.
            connection.execute("SELECT")
        with connection.lock:
            return connection.wait(self._run(connection, parameters))

    def _run(self, connection: Connection, parameters: list[bytes | None]) -> PQGen[PGresult]:
        if connection.prepare_threshold is None or not _is_idle(connection):
            # A pooler that does not follow prepared statements is between. Or in a transaction,
            # which is seldom: were ours gone, it would end there.
            link = connection.pgconn
            link.send_query_params(self._query, parameters, param_formats=self._formats)
            return (yield from _result(connection))
        try:
            return (yield from self._run_prepared(connection, parameters))
        except errors.InvalidSqlStatementName:
            # After a rollback psycopg has the server forget all that is prepared, ours too.
            self._prepared.discard(connection)
            return (yield from self._run_prepared(connection, parameters))

    def _run_prepared(
        self, connection: Connection, parameters: list[bytes | None]
    ) -> PQGen[PGresult]:
        link = connection.pgconn
        if connection not in self._prepared:
            link.send_prepare(self._name, self._query)
            yield from _result(connection)
            self._prepared.add(connection)
        link.send_query_prepared(self._name, parameters, param_formats=self._formats)
        return (yield from _result(connection))

    def _numbered(self, placeholder: re.Match[str]) -> str:
        name, form = placeholder.groups()
        if name not in self._order:
            self._order.append(name)
            self._formats.append(_FORMATS[form])
        return f"${self._order.index(name) + 1}"


def _result(connection: Connection) -> PQGen[PGresult]:
    results = yield from generators.execute(connection.pgconn)
    result: PGresult = results[-1]
    if result.status not in _GOOD:
        raise errors.error_from_result(result)
    return result


def _is_idle(connection: Connection) -> bool:
    return connection.pgconn.transaction_status == TransactionStatus.IDLE
