"""Examples for the documentation: one batch, seen from every call."""

from typing import Any

from gateway.documentation import CORRELATION_ID

BATCH_ID = "batch_0193f2c6a7b87d1e9c0a5b4d3e2f1a00"
REQUEST_ID = "spring-newsletter-2026"

NEWSLETTER = {
    "notification_type": "email",
    "template_code": "newsletter",
    "variables": {"month": "March", "link": "https://example.com/march"},
    "recipients": [
        {
            "user_id": "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a01",
            "variables": {"name": "Ada"},
            "request_id": "march-ada",
        },
        {"user_id": "customer-4711", "variables": {"name": "Grace"}},
        {"to": "someone@example.com", "variables": {"name": "you"}},
    ],
    "request_id": REQUEST_ID,
    "category": "marketing",
    "scheduled_at": "2030-03-01T09:00:00+01:00",
    "metadata": {"campaign": "spring"},
}
INLINE = {
    "notification_type": "sms",
    "content": {"body": "We are closed today because of the storm."},
    "recipients": [{"to": "+447700900123"}, {"user_id": "customer-4711"}],
    "category": "transactional",
}
ACCEPTED: dict[str, Any] = {
    "batch_id": BATCH_ID,
    "request_id": REQUEST_ID,
    "correlation_id": CORRELATION_ID,
    "accepted": 2,
    "rejected": 0,
    "replayed": 0,
    "refused": 1,
    "refusals": [
        {
            "index": 1,
            "error": "user_not_found",
            "message": "There is no user 'customer-4711'.",
        }
    ],
}
BATCH: dict[str, Any] = {
    "batch_id": BATCH_ID,
    "request_id": REQUEST_ID,
    "correlation_id": CORRELATION_ID,
    "notification_type": "email",
    "template_code": "newsletter",
    "category": "marketing",
    "priority": 5,
    "total": 3,
    "accepted": 2,
    "rejected": 0,
    "replayed": 0,
    "refused": 1,
    "created_at": "2026-01-05T09:30:00.123456Z",
    "scheduled_at": None,
    "expires_at": None,
    "cancelled_at": None,
}
PROGRESS: dict[str, Any] = {
    **BATCH,
    "state": "sending",
    "counts": {"delivered": 1, "queued": 1},
    "started_at": "2026-01-05T09:30:00.150000Z",
    "finished_at": None,
}
CANCELLED: dict[str, Any] = {
    "batch_id": BATCH_ID,
    "state": "cancelled",
    "cancelled": 1,
    "gone": 1,
    "counts": {"cancelled": 1, "delivered": 1},
}
