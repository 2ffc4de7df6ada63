"""What is cancelled before it was sent costs nothing: its quota and caps are given back."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from carillon.contracts import ids
from carillon.contracts.messages import Mode
from gateway.admission.giving_back import Unsent, give_back
from gateway.notifications.models import Notification

# Of a first attempt that was never queued. Retention may have cleared the address: then the cap
# is not given back, and by then has no meaning.
_UNSENT = """
SELECT n.id, n.created_at, n.mode, n.category,
       coalesce(nullif(n.user_id, ''), c.addresses -> 0 ->> 'value', '')
FROM notifications_notification n
LEFT JOIN notifications_notificationcontent c ON c.notification_id = n.id
WHERE n.id = ANY(%s) AND n.status IN ('cancelled', 'rejected')
  AND n.queued_at IS NULL AND n.attempt = 1
"""


def give_back_if_unsent(notification: Notification) -> None:
    """What a notification that ended just now took, if it was never handed to the broker.

    To be called once, after the commit.
    """
    found = ids.parse_id(ids.NOTIFICATION, notification.pk)
    if found is not None:
        give_back_unsent(str(notification.organization_id), [found])


def give_back_unsent(organization_id: str, notifications: Collection[UUID]) -> None:
    """The same for many of one organization."""
    if not notifications:
        return
    with connection.cursor() as cursor:
        cursor.execute(_UNSENT, (list(notifications),))
        rows = cursor.fetchall()
    give_back(
        organization_id,
        [
            Unsent(
                notification_id=id_,
                created_at=created_at,
                mode=Mode(mode),
                category=category,
                recipient=recipient,
            )
            for id_, created_at, mode, category, recipient in rows
        ],
    )
