"""Turns stored keys into what the API shows."""

from typing import Any

from gateway.organizations.models import APIKey
from gateway.organizations.rotation import Rotation
from gateway.organizations.shapes import APIKeyShape, NewAPIKeyShape, RotatedAPIKeyShape


def show_key(key: APIKey) -> APIKeyShape:
    """Without the secret, which nobody has."""
    return APIKeyShape(**_fields(key))


def show_new_key(key: APIKey, text: str) -> NewAPIKeyShape:
    """With the secret."""
    return NewAPIKeyShape(**_fields(key), api_key=text)


def show_rotation(rotation: Rotation) -> RotatedAPIKeyShape:
    """The new key with its secret, and the old one."""
    return RotatedAPIKeyShape(
        **_fields(rotation.new), api_key=rotation.key.text, replaces=show_key(rotation.old)
    )


def _fields(key: APIKey) -> dict[str, Any]:
    return {
        "key_id": key.pk,
        "name": key.name,
        "prefix": key.prefix,
        "mode": key.mode,
        "scopes": list(key.scopes),
        "is_active": key.is_active,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "replaced_by": key.replaced_by_id,
        "created_at": key.created_at,
    }
