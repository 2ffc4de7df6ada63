"""Examples for the documentation: one organization and its key, seen from every call."""

from typing import Any

from gateway.documentation import ORGANIZATION_ID

KEY_ID = "key_0193f2c6a7b87d1e9c0a5b4d3e2f1a04"
NEW_KEY_ID = "key_0193f2c6a7b87d1e9c0a5b4d3e2f1a05"
KEY: dict[str, Any] = {
    "key_id": KEY_ID,
    "name": "Web shop",
    "prefix": "org_live_a1b2c3d4e5",
    "mode": "live",
    "scopes": ["read", "send"],
    "is_active": True,
    "expires_at": None,
    "last_used_at": "2026-01-05T09:30:00.123456Z",
    "replaced_by": None,
    "created_at": "2026-01-01T08:00:00.000000Z",
}
NEW_KEY: dict[str, Any] = {
    **KEY,
    "last_used_at": None,
    "api_key": "org_live_a1b2c3d4e5_<43 characters that are shown once>",
}
ROTATED: dict[str, Any] = {
    **NEW_KEY,
    "key_id": NEW_KEY_ID,
    "prefix": "org_live_f6g7h8i9j0",
    "api_key": "org_live_f6g7h8i9j0_<43 characters that are shown once>",
    "created_at": "2026-01-05T09:30:00.123456Z",
    "replaces": {**KEY, "expires_at": "2026-01-06T09:30:00.123456Z", "replaced_by": NEW_KEY_ID},
}
REGISTERED: dict[str, Any] = {
    "organization_id": ORGANIZATION_ID,
    "name": "Acme",
    "plan": "free",
    "api_key": "org_live_a1b2c3d4e5_<43 characters that are shown once>",
    "test_api_key": "org_test_k1l2m3n4o5_<43 characters that are shown once>",
}
USAGE: dict[str, Any] = {
    "mode": "live",
    "quota": {
        "month": "2026-01",
        "limit": 100_000,
        "used": 1_234,
        "remaining": 98_766,
        "resets_at": "2026-02-01T00:00:00Z",
    },
    "requests_per_minute": {"limit": 6_000, "remaining": 5_999},
    "counts": {"email": {"delivered": 1_200, "bounced": 4}, "sms": {"delivered": 30}},
    "total": 1_234,
}
