"""Locks on names, held until the transaction's end."""

import hashlib
from collections.abc import Iterable

from django.db import connection


def hold_names(organization_id: str, names: Iterable[str]) -> None:
    """Let no other transaction act on these names of the organization at the same time.

    To be called once in a transaction and before it locks rows: everybody takes their locks in
    the same order, so that none waits for another in a circle. Two names may share a lock.
    """
    keys = sorted({_key(organization_id, name) for name in names})
    if not keys:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_advisory_xact_lock(key)) FROM"
            " (SELECT key FROM unnest(%s::bigint[]) AS key ORDER BY key) AS ordered",
            [keys],
        )


def _key(organization_id: str, name: str) -> int:
    digest = hashlib.sha256(f"{organization_id}\n{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
