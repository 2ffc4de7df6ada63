"""Examples for the documentation: one notification, seen from every call."""

from typing import Any

from gateway.documentation import CORRELATION_ID

NOTIFICATION_ID = "notif_0193f2c6a7b87d1e9c0a5b4d3e2f1a00"
REQUEST_ID = "req_unique_id_for_this_request"

FROM_TEMPLATE = {
    "notification_type": "email",
    "user_id": "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a01",
    "template_code": "welcome_email",
    "variables": {"name": "John Doe", "link": "https://example.com/activate"},
    "request_id": REQUEST_ID,
    "priority": 7,
    "metadata": {"source": "signup_flow"},
}
WITH_FILE: dict[str, Any] = {
    "notification_type": "email",
    "to": "john@example.com",
    "content": {
        "subject": "Your ticket",
        "html": '<p>See you there.</p><img src="cid:code" alt="Your code">',
    },
    "category": "transactional",
    "email": {
        "reply_to": "box-office@example.com",
        "headers": {"X-Campaign": "spring"},
        "attachments": [
            {"filename": "ticket.pdf", "url": "https://files.example.com/tickets/4711.pdf"},
            {
                "filename": "code.png",
                "content_type": "image/png",
                "content_id": "code",
                "data": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
                "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
            },
        ],
    },
}
DIRECT_SMS = {
    "notification_type": "sms",
    "to": "+447700900123",
    "content": {"body": "Your parcel arrives today between 2 and 4 pm."},
    "category": "transactional",
}
SCHEDULED_PUSH = {
    "notification_type": "push",
    "user_id": "customer-4711",
    "content": {
        "title": "Your table is ready",
        "body": "See you at 19:30.",
        "action_url": "https://example.com/bookings/1",
    },
    "scheduled_at": "2030-01-31T19:00:00+01:00",
    "expires_at": "2030-01-31T19:30:00+01:00",
}
PUSH_OF_TEMPLATE = {
    "notification_type": "push",
    "user_id": "customer-4711",
    "template_code": "order_ready",
    "variables": {"name": "Jane"},
    "push": {"collapse_key": "order-A-17", "ttl": 900, "badge": 1, "data": {"order": "A-17"}},
}
WITH_FALLBACK = {
    "notification_type": "email",
    "to": "jane@example.com",
    "template_code": "order_ready_email",
    "variables": {"name": "Jane"},
    "fallback": {
        "channel": "sms",
        "template_code": "order_ready_sms",
        "to": "+447700900123",
    },
}
WHATSAPP_OF_TEMPLATE = {
    "notification_type": "whatsapp",
    "user_id": "customer-4711",
    "template_code": "order_sent",
    "variables": {"name": "Jane"},
    "whatsapp": {
        "template": {"name": "order_late", "language": "en_US", "parameters": ["Jane", "A-17"]}
    },
}
ACCEPTED: dict[str, Any] = {
    "notification_id": NOTIFICATION_ID,
    "status": "accepted",
    "request_id": REQUEST_ID,
    "correlation_id": CORRELATION_ID,
}
REJECTED = {**ACCEPTED, "status": "rejected", "reason": "user_opted_out"}
STATUS = {
    "notification_id": NOTIFICATION_ID,
    "status": "delivered",
    "notification_type": "email",
    "template_code": "welcome_email",
    "created_at": "2026-01-05T09:30:00.123456Z",
    "updated_at": "2026-01-05T09:30:01.234567Z",
    "delivered_at": "2026-01-05T09:30:01.200000Z",
}
SUMMARY: dict[str, Any] = {
    "notification_id": NOTIFICATION_ID,
    "request_id": REQUEST_ID,
    "correlation_id": CORRELATION_ID,
    "status": "delivered",
    "reason": None,
    "notification_type": "email",
    "lane": "normal",
    "priority": 7,
    "category": "transactional",
    "user_id": "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a01",
    "recipient": "john@example.com",
    "template_code": "welcome_email",
    "template_version": 3,
    "language": "en",
    "batch_id": None,
    "metadata": {"source": "signup_flow"},
    "provider": "smtp",
    "provider_message_id": "<0193f2c6a7b87d1e9c0a5b4d3e2f1a00@carillon.test>",
    "next_attempt_at": None,
    "scheduled_at": None,
    "expires_at": None,
    "created_at": "2026-01-05T09:30:00.123456Z",
    "updated_at": "2026-01-05T09:30:01.234567Z",
    "sent_at": "2026-01-05T09:30:01.200000Z",
    "delivered_at": "2026-01-05T09:30:01.200000Z",
    "error_message": None,
}
DETAIL: dict[str, Any] = {
    **SUMMARY,
    "attempts": [
        {
            "number": 1,
            "channel": "email",
            "provider": "smtp",
            "provider_message_id": "<0193f2c6a7b87d1e9c0a5b4d3e2f1a00@carillon.test>",
            "outcome": "delivered",
            "reason": None,
            "error_code": None,
            "error_message": None,
            "started_at": "2026-01-05T09:30:01.150000Z",
            "finished_at": "2026-01-05T09:30:01.200000Z",
            "duration_ms": 48.2,
            "possible_duplicate": False,
        }
    ],
    "timeline": [
        {"status": "accepted", "at": "2026-01-05T09:30:00.123456Z"},
        {"status": "queued", "at": "2026-01-05T09:30:00.150000Z"},
        {"status": "processing", "at": "2026-01-05T09:30:01.150000Z", "attempt": 1},
        {"status": "delivered", "at": "2026-01-05T09:30:01.200000Z", "attempt": 1},
    ],
    "engagement": {
        "opened": {
            "first_at": "2026-01-05T10:02:03Z",
            "last_at": "2026-01-05T18:40:00Z",
            "count": 2,
        }
    },
    "content_cleared": False,
    "fallback": None,
    "fallback_of": None,
}
