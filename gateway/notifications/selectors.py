"""Reads."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from carillon.contracts import ids
from gateway.notifications.errors import NotificationNotFound
from gateway.notifications.models import Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to list; what is empty does not filter."""

    status: str = ""
    type: str = ""
    user_id: str = ""
    template_code: str = ""
    search: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None
    newest_first: bool = True


def list_notifications(organization_id: str, filters: Filters) -> "QuerySet[Notification]":
    """An organization's notifications with their contents, by time of creation."""
    found = Notification.objects.filter(organization_id=organization_id)
    exact = {
        "status": filters.status,
        "channel": filters.type,
        "user_id": filters.user_id,
        "template_code": filters.template_code,
        "request_id__startswith": filters.search,
        "created_at__gte": filters.created_after,
        "created_at__lt": filters.created_before,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value})
    order = ("-created_at", "-id") if filters.newest_first else ("created_at", "id")
    return found.select_related("content").order_by(*order)


def get_notification(organization_id: str, notification_id: str) -> Notification:
    """One with its content and attempts, in two queries. Raises NotificationNotFound."""
    if ids.parse_id(ids.NOTIFICATION, notification_id) is None:
        raise NotificationNotFound
    found = (
        Notification.objects.select_related("content")
        .prefetch_related("attempts")
        .filter(organization_id=organization_id, pk=notification_id)
        .first()
    )
    if found is None:
        raise NotificationNotFound
    return found


def get_status(organization_id: str, notification_id: str) -> Notification:
    """One without its content. Raises NotificationNotFound."""
    if ids.parse_id(ids.NOTIFICATION, notification_id) is None:
        raise NotificationNotFound
    found = Notification.objects.filter(organization_id=organization_id, pk=notification_id).first()
    if found is None:
        raise NotificationNotFound
    return found
