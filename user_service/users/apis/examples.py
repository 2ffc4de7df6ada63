"""Examples for the documentation: one user, seen from every call."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from carillon.web.openapi import Schema

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
    "preferences": {"email": True, "sms": False, "whatsapp": True, "push": True},
    "categories": {"marketing": {"email": False, "push": False}},
    "quiet_hours": {"friday": [{"start": "22:00", "end": "07:00"}]},
}

_META = {
    "total": 1,
    "limit": 1,
    "page": 1,
    "total_pages": 1,
    "has_next": False,
    "has_previous": False,
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


def enveloped(data: object, message: str, **meta: object) -> dict[str, Any]:
    """An example of a whole answer."""
    return {"success": True, "data": data, "message": message, "meta": {**_META, **meta}}


def sent(name: str, body: object) -> OpenApiExample:
    """An example of a request's body."""
    return OpenApiExample(name, value=body, request_only=True)


def number_parameter(name: str, default: int, most: int, description: str) -> OpenApiParameter:
    """A whole number from 1 to `most` in the query."""
    schema: Schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)
