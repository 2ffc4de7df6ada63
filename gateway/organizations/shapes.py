"""What the API shows of an organization and its keys."""

from datetime import datetime

import msgspec


class APIKeyShape(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret."""

    key_id: str
    name: str
    prefix: str
    mode: str
    scopes: list[str]
    is_active: bool
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class NewAPIKeyShape(APIKeyShape, frozen=True, kw_only=True):
    """A key that was just made; `api_key` is shown this once."""

    api_key: str


class LimitsShape(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan and the organization's own settings allow; null is unlimited."""

    requests_per_minute: int
    monthly_quota: int | None


class CallerShape(msgspec.Struct, frozen=True, kw_only=True):
    """The key that asked."""

    key_id: str
    prefix: str
    mode: str
    scopes: list[str]


class OrganizationShape(msgspec.Struct, frozen=True, kw_only=True):
    """The organization of the key that asked."""

    organization_id: str
    name: str
    plan: str
    limits: LimitsShape
    api_key: CallerShape
