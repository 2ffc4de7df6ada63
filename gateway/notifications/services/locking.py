"""Locking a notification before it is changed, as the relay and the events process do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from django.db import OperationalError, connection, transaction

from carillon.contracts import ids
from carillon.contracts.messages import Mode
from gateway.notifications.change_errors import LiveKeyRequired, NotificationBusy
from gateway.notifications.errors import NotificationNotFound
from gateway.notifications.models import Notification
from gateway.organizations.key_records import KeyRecord

# A window's rows are locked for milliseconds, for seconds where RabbitMQ does not answer.
LOCK_WAIT_MS = 3_000

_BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose notifications may be changed: an organization's, or only those of its test keys.

    A test key never causes a real delivery, and never stops one.
    """

    organization_id: str
    test_only: bool = False

    @classmethod
    def of(cls, caller: KeyRecord) -> "Authority":
        """The authority of whoever calls."""
        return cls(caller.organization_id, test_only=caller.mode is Mode.TEST)

    def check(self, notification: Notification) -> None:
        """Raises LiveKeyRequired."""
        if self.test_only and notification.mode != Mode.TEST:
            raise LiveKeyRequired


@contextmanager
def changing() -> Iterator[None]:
    """A transaction that waits for locks for a few seconds. Raises NotificationBusy."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", (str(LOCK_WAIT_MS),))
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, _BUSY):
            raise NotificationBusy from None
        raise


def lock_notification(
    authority: Authority, notification_id: str, *, deleting: bool = False
) -> Notification:
    """The notification as it is now, locked until the transaction ends.

    Its outbox row, its dead letter and its content are changed by whoever holds this lock, and by
    nobody else. Raises NotificationNotFound or LiveKeyRequired.
    """
    if ids.parse_id(ids.NOTIFICATION, notification_id) is None:
        raise NotificationNotFound
    found = (
        Notification.objects.select_for_update(no_key=not deleting)
        .filter(organization_id=authority.organization_id, pk=notification_id)
        .first()
    )
    if found is None:
        raise NotificationNotFound
    authority.check(found)
    return found
