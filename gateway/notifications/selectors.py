"""Reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from carillon.contracts import ids
from gateway.notifications.errors import NotificationNotFound
from gateway.notifications.models import Notification, NotificationContent, RecipientDigest

# How many of a list are counted whatever page is asked for. Each of them may be read from a page
# of the table of its own: ten times as many take longer than all else that a list does.
COUNTED_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to list; what is empty does not filter. `recipient` is an address as it is stored."""

    status: str = ""
    type: str = ""
    user_id: str = ""
    recipient: str = ""
    template_code: str = ""
    batch_id: str = ""
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
        "batch_id": filters.batch_id,
        "request_id__startswith": filters.search,
        "created_at__gte": filters.created_after,
        "created_at__lt": filters.created_before,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if filters.recipient:
        found = found.filter(pk__in=_sent_to(filters.recipient))
    order = ("-created_at", "-id") if filters.newest_first else ("created_at", "id")
    return found.select_related("content").order_by(*order)


def list_after(
    organization_id: str, filters: Filters, created_at: datetime, notification_id: str
) -> "QuerySet[Notification]":
    """What follows one notification in that list."""
    step = "lt" if filters.newest_first else "gt"
    # The first condition is what an index begins to read at; the second leaves out the equals.
    return list_notifications(organization_id, filters).filter(
        Q(**{f"created_at__{step}": created_at}) | Q(**{f"id__{step}": notification_id}),
        **{f"created_at__{step}e": created_at},
    )


def count_notifications(organization_id: str, filters: Filters, most: int) -> int:
    """How many there are, up to `most`."""
    found = list_notifications(organization_id, filters).select_related(None).order_by()
    return found.values("pk")[:most].count()


def _sent_to(recipient: str) -> "QuerySet[Any, Any]":
    """The contents of what was sent to this address, of whatever organization."""
    address = KeyTextTransform("value", KeyTransform("0", "addresses"))
    return (
        NotificationContent.objects.alias(address=address, digest=RecipientDigest(address))
        .filter(digest=RecipientDigest(Value(recipient)), address=recipient)
        .values("pk")
    )


def get_notification(organization_id: str, notification_id: str) -> Notification:
    """One with its content, attempts, replays, engagement and fallback, in four queries.

    Raises NotificationNotFound.
    """
    if ids.parse_id(ids.NOTIFICATION, notification_id) is None:
        raise NotificationNotFound
    found = (
        Notification.objects.select_related("content", "fallback__child", "stands_in_for")
        .prefetch_related("attempts", "replays", "engagement")
        .filter(organization_id=organization_id, pk=notification_id)
        .first()
    )
    if found is None:
        raise NotificationNotFound
    return found


def get_status(organization_id: str, notification_id: str) -> Notification:
    """One without its content, with its fallback. Raises NotificationNotFound."""
    if ids.parse_id(ids.NOTIFICATION, notification_id) is None:
        raise NotificationNotFound
    found = (
        Notification.objects.select_related("fallback__child")
        .filter(organization_id=organization_id, pk=notification_id)
        .first()
    )
    if found is None:
        raise NotificationNotFound
    return found
