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
    replaced_by: str | None
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
    """The organization of the key that asked.

    `platform_stand_ins` are the channels on which the platform's providers come after its own
    accounts.
    """

    organization_id: str
    name: str
    plan: str
    limits: LimitsShape
    platform_stand_ins: list[str]
    api_key: CallerShape


class RotatedAPIKeyShape(NewAPIKeyShape, frozen=True, kw_only=True):
    """The key that takes another's place, and that other one with the time at which it ends."""

    replaces: APIKeyShape


class RegisteredShape(msgspec.Struct, frozen=True, kw_only=True):
    """A new organization; its keys are shown this once."""

    organization_id: str
    name: str
    plan: str
    api_key: str
    test_api_key: str


class QuotaShape(msgspec.Struct, frozen=True, kw_only=True):
    """The month's quota; null is unlimited. `resets_at` is when the next month begins, in UTC."""

    month: str
    limit: int | None
    used: int
    remaining: int | None
    resets_at: datetime


class MinuteShape(msgspec.Struct, frozen=True, kw_only=True):
    """Requests a minute; `remaining` of them could be made at this moment."""

    limit: int
    remaining: int


class UsageShape(msgspec.Struct, frozen=True, kw_only=True):
    """What was used this month. `counts` are by channel, then by today's status."""

    mode: str
    quota: QuotaShape
    requests_per_minute: MinuteShape
    counts: dict[str, dict[str, int]]
    total: int
