"""What authentication needs to know of a key, and its cache in Redis.

Every change of a key or its organization raises the key's revision, and its record is written to
the cache before the change is answered. A write never replaces a newer revision, so a reader that
was slow to write back what it had read cannot bring a deactivated key back to life.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

import msgspec
import redis

from carillon.contracts import ids
from carillon.contracts.messages import Mode
from gateway.organizations.models import APIKey, Scope

# How long a change made behind Django's back, or while Redis could not be told, goes unseen.
KEPT_SECONDS = 60
FOREVER = 2**53

_WRITE_UNLESS_OLDER = """
local held = redis.call('HGET', KEYS[1], 'revision')
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'digest', ARGV[3], 'organization', ARGV[4],
  'plan', ARGV[5], 'usable_until', ARGV[6], 'record', ARGV[7])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A key and its organization. As `request.user`, it is who calls."""

    key_id: str
    prefix: str
    digest: bytes
    mode: Mode
    scopes: tuple[str, ...]
    is_active: bool
    expires_at: datetime | None
    revision: int
    organization_id: str
    organization_name: str
    organization_is_active: bool
    plan: str
    monthly_quota: int | None
    name: str = ""

    is_authenticated: ClassVar[bool] = True

    def is_usable(self) -> bool:
        """Neither deactivated nor expired."""
        return self.is_active and (self.expires_at is None or datetime.now(UTC) < self.expires_at)

    @property
    def organization_uuid(self) -> UUID:
        """The organization's id as the database has it."""
        return ids.uuid_of(ids.ORGANIZATION, self.organization_id)

    def usable_until(self) -> float:
        """Unix seconds; 0 for a key that was deactivated."""
        if not self.is_active:
            return 0
        return self.expires_at.timestamp() if self.expires_at else FOREVER

    def allows(self, scope: str) -> bool:
        """True where the key has `scope`, or `admin`, which includes the others."""
        return scope in self.scopes or Scope.ADMIN.value in self.scopes


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(KeyRecord)


def cache_key(prefix: str) -> str:
    """The Redis hash of a key: its record, and beside it what enter.lua decides by."""
    return f"carillon:api_key:{prefix}"


# Of keys that are in use: each of their requests reads the same bytes.
@lru_cache(maxsize=1_000)
def decode(record: bytes) -> KeyRecord | None:
    """A cached record; None where another release wrote it."""
    try:
        return _decoder.decode(record)
    except msgspec.MsgspecError:
        return None


def write(client: redis.Redis, record: KeyRecord) -> None:
    """Keep `record`, unless a newer one is there. Raises redis.RedisError."""
    client.register_script(_WRITE_UNLESS_OLDER)(
        keys=[cache_key(record.prefix)],
        args=[
            record.revision,
            KEPT_SECONDS,
            record.digest.hex(),
            record.organization_id,
            record.plan,
            record.usable_until(),
            _encoder.encode(record),
        ],
    )


def record_of(key: APIKey) -> KeyRecord:
    """The record of a key whose organization is loaded."""
    organization = key.organization
    return KeyRecord(
        key_id=key.pk,
        prefix=key.prefix,
        digest=bytes(key.digest),
        mode=Mode(key.mode),
        scopes=tuple(key.scopes),
        is_active=key.is_active,
        expires_at=key.expires_at,
        revision=key.revision,
        organization_id=organization.pk,
        organization_name=organization.name,
        organization_is_active=organization.is_active,
        plan=organization.plan,
        monthly_quota=organization.monthly_quota,
        name=key.name,
    )
