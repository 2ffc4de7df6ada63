"""Telling the user service which devices are gone, until it knows."""

from collections.abc import Sequence
from urllib.parse import quote
from uuid import UUID

import structlog

from carillon.clients.http import InternalHTTP
from carillon.contracts import ids
from gateway.outbox.database import Connection

log = structlog.get_logger(__name__)

# 404: the device was deleted, or it never was one of that organization.
_KNOWN = frozenset({200, 404})

_OLDEST = """
    SELECT device_id, organization_id FROM deliveries_deaddevice ORDER BY created_at LIMIT %s
"""
_FORGET = "DELETE FROM deliveries_deaddevice WHERE device_id = ANY(%s)"


def find_dead_devices(connection: Connection, most: int) -> Sequence[tuple[str, UUID]]:
    """The devices that were not told of yet, the oldest first. Raises psycopg.Error."""
    found: list[tuple[str, UUID]] = connection.execute(_OLDEST, (most,)).fetchall()
    connection.commit()
    return found


def tell_user_service(client: InternalHTTP, devices: Sequence[tuple[str, UUID]]) -> list[str]:
    """Have each disabled; the devices that the user service now knows of. Safe to repeat.

    No transaction may be open meanwhile. Raises ServiceDown, with some told already.
    """
    known = []
    for device_id, organization in devices:
        answer = client.call(
            "POST",
            f"/internal/devices/{quote(device_id, safe='')}/disable/",
            organization_id=ids.format_id(ids.ORGANIZATION, organization),
        )
        if answer.status in _KNOWN:
            known.append(device_id)
        else:
            log.error("the user service refuses to disable a device", status=answer.status)
    return known


def forget_dead_devices(connection: Connection, device_ids: Sequence[str]) -> None:
    """They are known. Raises psycopg.Error."""
    connection.execute(_FORGET, (list(device_ids),))
    connection.commit()
