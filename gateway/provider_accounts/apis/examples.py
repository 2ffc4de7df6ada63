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
    "created_at": "2026-01-05T09:30:00.123456Z",
    "updated_at": "2026-01-05T09:30:00.123456Z",
}
