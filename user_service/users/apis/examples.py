"""Examples for the documentation: one user, seen from every call."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

USER_ID = "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a01"
DEVICE_ID = "device_0193f2c6a7b87d1e9c0a5b4d3e2f1a02"

REFERENCE_USER = {
    "email": "fresh_test_user@example.com",
    "name": "Fresh Test User",
    "password": "securepassword123",
    "push_token": "token_fresh_test",
    "preferences": {"email": True, "push": False},
}
FULL_USER = {
    "external_id": "customer-4711",
    "email": "jane@example.com",
    "name": "Jane Doe",
    "phone_number": "+447700900123",
    "language": "en-GB",
    "timezone": "Europe/London",
    "attributes": {"plan": "gold", "city": "Leeds"},
    "preferences": {"sms": False},
}
USER = {
    "user_id": USER_ID,
    "external_id": "customer-4711",
    "email": "jane@example.com",
    "name": "Jane Doe",
    "phone_number": "+447700900123",
    "push_token": None,
    "language": "en-GB",
    "timezone": "Europe/London",
    "attributes": {"plan": "gold", "city": "Leeds"},
    "preferences": {"email": True, "sms": False, "whatsapp": True, "push": True},
    "created_at": "2026-01-05T09:30:00.123456Z",
    "updated_at": "2026-01-05T09:30:00.123456Z",
}
PREFERENCES = {
    "preferences": {"email": True, "sms": False, "whatsapp": True, "push": True},
    "categories": {"marketing": {"email": False, "push": False}},
    "quiet_hours": {
        "friday": [{"start": "22:00", "end": "07:00"}],
        "sunday": [{"start": "00:00", "end": "24:00"}],
    },
}
DEVICE = {
    "device_id": DEVICE_ID,
    "platform": "fcm",
    "token": "dGhpcyBpcyBub3QgYSByZWFsIHRva2Vu",
    "created_at": "2026-01-05T09:30:00.123456Z",
    "registered_at": "2026-02-01T18:00:00.654321Z",
    "disabled_at": None,
}
CHANGE = {
    "at": "2026-02-03T10:00:00.000000Z",
    "source": "api",
    "correlation_id": "corr_3f2a9c1b7d8e4f5a6b7c8d9e",
    "changes": [{"field": "categories.marketing.email", "before": None, "after": False}],
}
IMPORT = {
    "created": 1,
    "updated": 0,
    "refused": 1,
    "results": [
        {
            "line": 1,
            "outcome": "created",
            "id": USER_ID,
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
                "phone_number": [
                    "Expected a number in E.164 form with its country code, such as +447700900003."
                ]
            },
        },
    ],
}
RECORD = {
    "user_id": USER_ID,
    "revision": 42,
    "external_id": "customer-4711",
    "email": "jane@example.com",
    "name": "Jane Doe",
    "phone_number": "+447700900123",
    "language": "en-GB",
    "timezone": "Europe/London",
    "attributes": {"plan": "gold", "city": "Leeds"},
    "devices": [{"device_id": DEVICE_ID, "platform": "fcm", "token": DEVICE["token"]}],
    "preferences": {"sms": False},
    "categories": {"marketing": {"email": False}},
    "quiet_hours": {"friday": [{"start": "22:00", "end": "07:00"}]},
    "suppressed": {"email": "hard_bounce"},
}

USER_PATH = OpenApiParameter(
    "identifier",
    str,
    OpenApiParameter.PATH,
    description="A user id (`user_…`) or your own `external_id`.",
    examples=[
        OpenApiExample("By user id", value=USER_ID),
        OpenApiExample("By external id", value="customer-4711"),
    ],
)
DEVICE_PATH = OpenApiParameter(
    "device_id",
    str,
    OpenApiParameter.PATH,
    description="The device's id (`device_…`).",
    examples=[OpenApiExample("A device", value=DEVICE_ID)],
)
