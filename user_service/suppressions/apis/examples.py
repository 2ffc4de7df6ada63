"""Examples for the documentation."""

SUPPRESSION_ID = "supp_0193f2c6a7b87d1e9c0a5b4d3e2f1a03"

SUPPRESSION = {
    "suppression_id": SUPPRESSION_ID,
    "channel": "email",
    "address": "jane@example.com",
    "reason": "hard_bounce",
    "source": "api",
    "note": "550 no such user",
    "created_at": "2026-01-05T09:30:00.123456Z",
}
NEW = {"channel": "email", "address": "jane@example.com", "reason": "complaint"}
