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
IMPORT = {
    "created": 1,
    "updated": 0,
    "refused": 1,
    "results": [
        {
            "line": 1,
            "outcome": "created",
            "id": SUPPRESSION_ID,
            "error": None,
            "message": None,
            "details": {},
        },
        {
            "line": 2,
            "outcome": "refused",
            "id": None,
            "error": "validation_error",
            "message": "The request has invalid values.",
            "details": {
                "address": [
                    "Expected a number in E.164 form with its country code, such as +447700900003."
                ]
            },
        },
    ],
}
