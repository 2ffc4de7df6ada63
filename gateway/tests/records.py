"""Users and templates as the internal services know them."""

from typing import Any

from carillon.contracts import ids
from carillon.contracts.records import DeviceRecord, PublishedVersion, TemplateRecord, UserRecord


def make_user(**fields: Any) -> UserRecord:
    """A user who can be reached on every channel."""
    return UserRecord(
        **{
            "user_id": ids.new_id(ids.USER),
            "revision": 1,
            "email": "ada@example.com",
            "name": "Ada Lovelace",
            "phone_number": "+447700900123",
            "devices": (DeviceRecord(device_id="device_1", platform="fcm", token="tok-1"),),
            **fields,
        }
    )


def make_template(code: str = "welcome_email", **fields: Any) -> TemplateRecord:
    """An email with one variable; `versions` are its languages."""
    return TemplateRecord(
        **{
            "template_id": ids.new_id(ids.TEMPLATE),
            "code": code,
            "type": "email",
            "revision": 1,
            "default_language": "en",
            "languages": {"en": make_version()},
            **fields,
        }
    )


def make_version(**fields: Any) -> PublishedVersion:
    """What is published in one language."""
    return PublishedVersion(
        **{
            "version": 3,
            "subject": "Welcome, {{ name }}!",
            "content": "Hi {{ name }}",
            "html_content": "<p>Hi {{ name }}</p>",
            "variables": ("name",),
            **fields,
        }
    )
