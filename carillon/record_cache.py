"""The cache of users and templates in Redis: their owner writes it, the gateway reads it.

The owner writes on a read miss and after each commit, so a change is seen by the next send.
Every entry carries the record's revision, which grows with every change, and a write never
replaces a newer one: a slow reader cannot bring old content back. Entries are fresh for minutes
and kept for a day, so that the gateway can go on while the owner is down.

A Redis that stalls must not hold up its writers: after a few failures in a row writes are skipped
for a second at a time. What was skipped is like what failed: the entry grows stale by itself.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec
import redis
import structlog

from carillon.clients.breaker import CircuitBreaker
from carillon.contracts.records import PolicyRecord, SuppressionRecord, TemplateRecord, UserRecord

log = structlog.get_logger(__name__)

# The one identifier of an organization's policy.
POLICY = "policy"

FRESH_SECONDS = 300
KEPT_SECONDS = 24 * 3600

# Records of a kind that a process remembers decoded, and the bytes of the largest of these.
_REMEMBERED = 512
_REMEMBERED_BYTES = 16_384

Record = TypeVar("Record", bound=UserRecord | TemplateRecord | PolicyRecord | SuppressionRecord)

# An entry is `<revision> <unix seconds when written> <JSON, or null for "deleted">`.
_WRITE_UNLESS_OLDER = """
local revision, entry, ttl = tonumber(ARGV[1]), ARGV[2], ARGV[3]
for _, key in ipairs(KEYS) do
  local held = redis.call('GET', key)
  if not held or (tonumber(string.match(held, '^%d+')) or 0) <= revision then
    redis.call('SET', key, entry, 'EX', ttl)
  end
end
"""


@dataclass(frozen=True, slots=True)
class Cached(Generic[Record]):
    """A cache entry; `record` is None where the owner said that it was deleted."""

    record: Record | None
    fresh: bool


class RecordCache(Generic[Record]):
    """One kind of record. `client` must not decode responses.

    What is `shared` by the requests of an organization is decoded once for each of its versions.
    """

    def __init__(
        self, client: redis.Redis, kind: str, shape: type[Record], *, shared: bool = False
    ) -> None:
        self._redis = client
        self._kind = kind
        self._before = f"carillon:{kind}:"
        decoder: msgspec.json.Decoder[Record | None] = msgspec.json.Decoder(shape | None)
        self._decode: Callable[[bytes], Record | None] = decoder.decode
        self._remembered = lru_cache(_REMEMBERED)(self._decode) if shared else self._decode
        self._write = client.register_script(_WRITE_UNLESS_OLDER)
        self._breaker = CircuitBreaker(failures=3, cooldown=1.0)

    def key(self, organization_id: str, identifier: str) -> str:
        """The Redis key under which `identifier` (an id, an external id, a code) is kept."""
        return f"{self._before}{organization_id}:{identifier}"

    def key_parts(self, identifier: str) -> tuple[str, str]:
        """What comes before the organization's id in a key, and what comes after it."""
        return self._before, f":{identifier}"

    def decode(self, entry: bytes | None) -> Cached[Record] | None:
        """An entry read under `key`; None where there is none, or of another release."""
        if entry is None:
            return None
        try:
            _revision, written_at, body = entry.split(b" ", 2)
            decode = self._remembered if len(body) <= _REMEMBERED_BYTES else self._decode
            record = decode(body)
            age = time.time() - int(written_at)
        except (ValueError, msgspec.MsgspecError):
            return None
        return Cached(record, fresh=age < FRESH_SECONDS)

    def read(self, organization_id: str, identifier: str) -> Cached[Record] | None:
        """The entry of one record. Raises redis.RedisError."""
        entry = self._redis.get(self.key(organization_id, identifier))
        return self.decode(entry)  # type: ignore[arg-type]

    def read_many(
        self, organization_id: str, identifiers: Sequence[str]
    ) -> list[Cached[Record] | None]:
        """The entries of many records, in order, in one trip. Raises redis.RedisError."""
        keys = [self.key(organization_id, identifier) for identifier in identifiers]
        entries: list[bytes | None] = self._redis.mget(keys) if keys else []  # type: ignore[assignment]
        return [self.decode(entry) for entry in entries]

    def write(self, organization_id: str, identifiers: Sequence[str], record: Record) -> None:
        """Keep `record` under each identifier, unless a newer one is there."""
        self._store(organization_id, identifiers, record.revision, msgspec.json.encode(record))

    def write_many(
        self, organization_id: str, records: Iterable[tuple[Sequence[str], Record]]
    ) -> None:
        """The same for many records, in one trip."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for identifiers, record in records:
                body = msgspec.json.encode(record)
                self._queue(organization_id, identifiers, record.revision, body, pipeline)
            self._attempt(pipeline.execute)

    def write_absence(
        self, organization_id: str, identifiers: Sequence[str], revision: int
    ) -> None:
        """Say that these identifiers name nothing since `revision`."""
        self._store(organization_id, identifiers, revision, b"null")

    def _store(
        self, organization_id: str, identifiers: Sequence[str], revision: int, body: bytes
    ) -> None:
        self._attempt(lambda: self._queue(organization_id, identifiers, revision, body, None))

    def _queue(
        self,
        organization_id: str,
        identifiers: Sequence[str],
        revision: int,
        body: bytes,
        client: redis.Redis | None,
    ) -> None:
        """Into `client`, a pipeline; at once where there is none."""
        keys = [self.key(organization_id, identifier) for identifier in identifiers]
        entry = b"%d %d %s" % (revision, int(time.time()), body)
        self._write(keys=keys, args=[revision, entry, KEPT_SECONDS], client=client)

    def _attempt(self, write: Callable[[], object]) -> None:
        """The database has the truth and entries grow stale in minutes: a caller never fails."""
        if not self._breaker.allows():
            return
        try:
            write()
        except redis.RedisError as error:
            self._breaker.failed()
            log.error("cache write failed", kind=self._kind, error=type(error).__name__)
        else:
            self._breaker.succeeded()


def user_cache(client: redis.Redis) -> RecordCache[UserRecord]:
    """Users, under their own id and their external id."""
    return RecordCache(client, "user", UserRecord)


def policy_cache(client: redis.Redis) -> RecordCache[PolicyRecord]:
    """What organizations decided for their users, under POLICY."""
    return RecordCache(client, "policy", PolicyRecord, shared=True)


def suppression_cache(client: redis.Redis) -> RecordCache[SuppressionRecord]:
    """Suppressed and other addresses, under `carillon.contracts.suppressions.address_digest`."""
    return RecordCache(client, "suppression", SuppressionRecord)


def template_cache(client: redis.Redis) -> RecordCache[TemplateRecord]:
    """Templates, under their code."""
    return RecordCache(client, "template", TemplateRecord, shared=True)
