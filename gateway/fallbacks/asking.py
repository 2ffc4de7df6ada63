"""The request that a promise stands for: on the other channel, to the same recipient."""

from gateway.fallbacks.promises import Promise
from gateway.notifications.asked import Asked
from gateway.notifications.bodies import NotificationBody
from gateway.notifications.models import Notification
from gateway.notifications.recipients import direct_recipient
from gateway.organizations.key_records import KeyRecord


def ask_instead(
    promise: Promise,
    origin: Notification | NotificationBody,
    *,
    caller: KeyRecord,
    correlation_id: str,
    traceparent: str = "",
) -> Asked:
    """In place of `origin`, at once. Raises ValidationFailed where its address is none."""
    body = NotificationBody(
        notification_type=promise.channel,
        user_id=origin.user_id,
        to=promise.to or None,
        template_code=promise.template_code,
        variables=promise.variables,
        language=promise.language,
        priority=origin.priority,
        category=promise.category,
        expires_at=origin.expires_at,
        metadata=origin.metadata,
    )
    return Asked(
        caller=caller,
        body=body,
        direct=direct_recipient(promise.channel, promise.to) if promise.to else None,
        inline=None,
        request_id="",
        correlation_id=correlation_id,
        traceparent=traceparent,
    )
