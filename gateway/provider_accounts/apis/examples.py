"""Examples for the documentation."""

from typing import Any

ACCOUNT_ID = "acct_0193f2c6a7b87d1e9c0a5b4d3e2f1a06"
NEW_SENDGRID: dict[str, Any] = {
    "channel": "email",
    "provider": "sendgrid",
    "name": "SendGrid of the shop",
    "sender": "Acme <notifications@acme.example>",
    "credentials": {"api_key": "SG.your-key-that-may-send-mail"},
    "position": 0,
}
NEW_TWILIO: dict[str, Any] = {
    "channel": "sms",
    "provider": "twilio",
    "name": "Twilio",
    "sender": "+15005550006",
    "credentials": {
        "account_sid": f"AC{'0123456789abcdef' * 2}",
        "auth_token": "the-auth-token-of-the-account",
    },
}
UNVERIFIED: dict[str, Any] = {
    "status": "unverified",
    "reason": None,
    "code": None,
    "message": None,
    "requested_at": None,
    "checked_at": None,
}
PENDING: dict[str, Any] = {
    **UNVERIFIED,
    "status": "pending",
    "requested_at": "2026-01-05T09:30:01.123456Z",
}
ACCOUNT: dict[str, Any] = {
    "provider_account_id": ACCOUNT_ID,
    "channel": "email",
    "provider": "sendgrid",
    "name": "SendGrid of the shop",
    "sender": "Acme <notifications@acme.example>",
    "credentials": {"api_key": "…a1B2"},
    "position": 0,
    "weight": 1,
    "rate_per_second": None,
    "is_active": True,
    "verification": UNVERIFIED,
    "callback_url": f"https://notify.example.com/callbacks/sendgrid/{ACCOUNT_ID}/",
    "created_at": "2026-01-05T09:30:00.123456Z",
    "updated_at": "2026-01-05T09:30:00.123456Z",
}
VERIFIED: dict[str, Any] = {
    **ACCOUNT,
    "verification": {
        **PENDING,
        "status": "verified",
        "message": "SendGrid accepts the key, and it may send mail.",
        "checked_at": "2026-01-05T09:30:01.623456Z",
    },
}
REFUSED: dict[str, Any] = {
    **ACCOUNT,
    "verification": {
        **PENDING,
        "status": "failed",
        "reason": "configuration",
        "code": "401",
        "message": "The provider refuses the account's credentials or settings.",
        "checked_at": "2026-01-05T09:30:01.623456Z",
    },
}
