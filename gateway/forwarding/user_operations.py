"""What of the user service is public."""

from gateway.documentation import CORRELATION_ID
from gateway.forwarding.operations import Operation, users

USER_ID = "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a01"
DEVICE_ID = "device_0193f2c6a7b87d1e9c0a5b4d3e2f1a02"

_USER = {
    "user_id": USER_ID,
    "external_id": "customer-4711",
    "email": "jane@example.com",
    "name": "Jane Doe",
    "phone_number": "+447700900123",
    "push_token": "token_fresh_test",
    "language": "en-GB",
    "timezone": "Europe/London",
    "attributes": {"plan": "gold"},
    "preferences": {"email": True, "sms": True, "whatsapp": True, "push": False},
    "created_at": "2026-01-05T09:30:00.123456Z",
    "updated_at": "2026-01-05T09:30:00.123456Z",
}
_PREFERENCES = {
    "preferences": {"email": False, "sms": True, "whatsapp": True, "push": True},
    "categories": {"marketing": {"email": False}},
    "quiet_hours": {"friday": [{"start": "22:00", "end": "07:00"}]},
}
_DEVICE = {
    "device_id": DEVICE_ID,
    "platform": "fcm",
    "token": "dGhpcyBpcyBub3QgYSByZWFsIHRva2Vu",
    "created_at": "2026-01-05T09:30:00.123456Z",
    "registered_at": "2026-02-01T18:00:00.654321Z",
}
_CHANGE = {
    "at": "2026-02-03T10:00:00.000000Z",
    "source": "api",
    "correlation_id": CORRELATION_ID,
    "changes": [{"field": "categories.marketing.email", "before": None, "after": False}],
}
_PAGING = {"page": "From 1.", "limit": "At most 100 on a page."}

_IDENTIFIER = (USER_ID, "The user's id, or your own external_id.")
_NOT_FOUND = (404, "user_not_found", "There is no such user.")
_EXISTS = (409, "user_exists", "Another user has this email.")
_INVALID = (400, "validation_error", "The request has invalid values.")
_MISSING = (400, "missing_fields", "Required fields are missing.")

RESOURCES = (
    users(
        "",
        Operation(
            "GET",
            "list_users",
            "List and search users",
            [_USER],
            query={"search": "Part of a name, email, number or external id.", **_PAGING},
            message="Users retrieved",
            errors=(_INVALID,),
        ),
        Operation(
            "POST",
            "create_user",
            "Create a user",
            _USER,
            body={
                "email": "fresh_test_user@example.com",
                "name": "Fresh Test User",
                "password": "securepassword123",
                "push_token": "token_fresh_test",
                "preferences": {"email": True, "push": False},
            },
            status=201,
            message="User created",
            errors=(_MISSING, _INVALID, _EXISTS),
        ),
    ),
    users(
        "batch/",
        Operation(
            "POST",
            "fetch_users",
            "Fetch up to 1,000 users at once",
            {"users": [_USER], "not_found": ["nobody"]},
            body={"user_ids": [USER_ID, "customer-4711", "nobody"]},
            message="Users retrieved",
            errors=(_MISSING, _INVALID),
        ),
    ),
    users(
        "<str:identifier>/",
        Operation(
            "GET", "get_user", "Fetch a user", _USER, message="User retrieved", errors=(_NOT_FOUND,)
        ),
        Operation(
            "PATCH",
            "update_user",
            "Change a user",
            _USER,
            body={"name": "Updated Name", "push_token": "token_updated"},
            message="User updated",
            errors=(_INVALID, _NOT_FOUND, _EXISTS),
        ),
        Operation(
            "PUT",
            "put_user",
            "Create or change a user by your own id",
            _USER,
            body={"email": "jane@example.com", "name": "Jane Doe"},
            message="User updated",
            errors=(_INVALID, _NOT_FOUND, _EXISTS),
        ),
        Operation(
            "DELETE",
            "delete_user",
            "Erase a user",
            {"user_id": USER_ID},
            message="User deleted",
            errors=(_NOT_FOUND,),
        ),
        identifier=_IDENTIFIER,
    ),
    users(
        "<str:identifier>/preferences/",
        Operation(
            "GET",
            "get_user_preferences",
            "Fetch what a user wants to receive",
            _PREFERENCES,
            message="Preferences retrieved",
            errors=(_NOT_FOUND,),
        ),
        Operation(
            "PATCH",
            "update_user_preferences",
            "Change what a user wants to receive",
            _PREFERENCES,
            body={"preferences": {"email": False, "push": True}},
            message="Preferences updated",
            errors=(_INVALID, _NOT_FOUND),
        ),
        identifier=_IDENTIFIER,
    ),
    users(
        "<str:identifier>/preferences/history/",
        Operation(
            "GET",
            "list_preference_changes",
            "List the changes of a user's preferences",
            [_CHANGE],
            query=_PAGING,
            message="Changes retrieved",
            errors=(_INVALID, _NOT_FOUND),
        ),
        identifier=_IDENTIFIER,
    ),
    users(
        "<str:identifier>/devices/",
        Operation(
            "GET",
            "list_user_devices",
            "List a user's devices",
            [_DEVICE],
            query=_PAGING,
            message="Devices retrieved",
            errors=(_NOT_FOUND,),
        ),
        Operation(
            "POST",
            "register_user_device",
            "Register a device",
            _DEVICE,
            body={"platform": "fcm", "token": "dGhpcyBpcyBub3QgYSByZWFsIHRva2Vu"},
            status=201,
            message="Device registered",
            errors=(_MISSING, _INVALID, _NOT_FOUND),
        ),
        identifier=_IDENTIFIER,
    ),
    users(
        "<str:identifier>/devices/<str:device_id>/",
        Operation(
            "DELETE",
            "delete_user_device",
            "Forget a device",
            {"device_id": DEVICE_ID},
            message="Device deleted",
            errors=(_NOT_FOUND, (404, "device_not_found", "There is no such device.")),
        ),
        identifier=_IDENTIFIER,
        device_id=(DEVICE_ID, "The device's id."),
    ),
)
