"""Examples for the documentation: one dead letter, seen from every call."""

from typing import Any

DEAD_LETTER_ID = "dl_0193f2c6a7b87d1e9c0a5b4d3e2f1a0d"

DEAD_LETTER: dict[str, Any] = {
    "dead_letter_id": DEAD_LETTER_ID,
    "notification_id": "notif_0193f2c6a7b87d1e9c0a5b4d3e2f1a00",
    "channel": "email",
    "template_code": "welcome_email",
    "reason": "attempts_exhausted",
    "error_message": "451 4.3.0 Mail server temporarily rejected message",
    "attempts": 5,
    "created_at": "2026-01-05T10:44:12.345678Z",
    "replayed_at": None,
    "notification_status": "failed",
    "notification_reason": "attempts_exhausted",
}
REPLAYED: dict[str, Any] = {
    **DEAD_LETTER,
    "replayed_at": "2026-01-05T11:30:00.123456Z",
    "notification_status": "accepted",
    "notification_reason": None,
}
DELIVERED_SINCE = {**REPLAYED, "notification_status": "delivered"}

AFTER_AN_OUTAGE: dict[str, Any] = {
    "channel": "email",
    "reason": "attempts_exhausted",
    "created_after": "2026-01-05T10:00:00Z",
    "created_before": "2026-01-05T11:00:00Z",
    "limit": 10_000,
    "per_second": 100,
}
DRY_RUN = {**AFTER_AN_OUTAGE, "dry_run": True}

PLANNED: dict[str, Any] = {
    "dry_run": True,
    "matching": 12_345,
    "replayed": 10_000,
    "rejected": 0,
    "remaining": 2_345,
    "waiting": 0,
    "starts_at": "2026-01-05T11:30:00.123456Z",
    "until": "2026-01-05T11:31:40.113456Z",
    "sample": [DEAD_LETTER],
}
DONE: dict[str, Any] = {
    **PLANNED,
    "dry_run": False,
    "replayed": 9_998,
    "rejected": 2,
    "waiting": 9_998,
    "until": "2026-01-05T11:31:40.093456Z",
    "sample": [],
}
