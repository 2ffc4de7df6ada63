"""The door: an API key's text in, who calls and their organization's limit out."""

import hmac
from collections.abc import Sequence
from functools import cache

import msgspec
import redis
import structlog
from django.conf import settings

from gateway.admission.errors import InvalidAPIKey
from gateway.admission.foresight import Foreseen, Held
from gateway.admission.limits import LimitState, ProcessLimits
from gateway.admission.scripts import ENTER, RedisDown, scripts
from gateway.connections import redis_client
from gateway.organizations import key_records, selectors
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.keys import digest_of, prefix_of

log = structlog.get_logger(__name__)

POLICY = "minute"
WINDOW_SECONDS = 60

_process_limits = ProcessLimits()

# Of keys that were used in this process, as they were then.
_RECORDS_MOST = 10_000
_records: dict[str, KeyRecord] = {}


class Entry(msgspec.Struct, frozen=True):
    """A key that is valid, and how much of its organization's minute is left.

    `entries` are what the cache has under the keys that were asked for; empty if it was not read.
    `held` is what was foreseen, if it was granted: whoever asked for it has to settle it.
    """

    record: KeyRecord
    limit: LimitState
    entries: tuple[bytes | None, ...] = ()
    held: Held | None = None


# A cache key without its organization, which is known only once the API key is: what comes before
# the id and what comes after it.
SplitKey = tuple[str, str]


def enter(text: str, wanted: Sequence[SplitKey] = (), foreseen: Foreseen | None = None) -> Entry:
    """Recognise the key and count the request: one trip to Redis, or else to the database.

    `wanted` is read on the way, and what is foreseen is reserved. Raises InvalidAPIKey for a key
    that is malformed, unknown, wrong, deactivated or expired.
    """
    prefix = prefix_of(text)
    if prefix is None:
        raise InvalidAPIKey
    digest = digest_of(text)
    try:
        entry = _from_cache(prefix, digest, wanted, foreseen)
    except RedisDown:
        return _in_process(_from_database(prefix, digest))
    return entry or _missed(prefix, digest, wanted)


def last_record(text: str) -> KeyRecord | None:
    """What a key with this prefix was when this process saw it last; None where it did not.

    It tells what may be worth reading and reserving in the trip that reads the key's record.
    Whether the key is good, and still the same, is only known then.
    """
    return _records.get(prefix_of(text) or "")


def _from_cache(
    prefix: str, digest: bytes, wanted: Sequence[SplitKey], foreseen: Foreseen | None = None
) -> Entry | None:
    """None where no record is cached. Raises InvalidAPIKey or RedisDown."""
    arguments: list[str | int] = [digest.hex(), *_plan_arguments(), len(wanted)]
    for parts in wanted:
        arguments.extend(parts)
    key, held = key_records.cache_key(prefix), None
    if foreseen is None:
        found = scripts().run(ENTER, [key], arguments)
    else:
        found, held = foreseen.run(key, arguments)
    record = key_records.decode(found[0]) if found else None
    if held is not None and not (record == held.record and record.is_usable()):
        held.give_back()
        held = None
    if record is None:
        return None
    _check(record, digest)
    if len(found) == 1:
        # It ran out between our clock and the server's, or the entry is damaged.
        return None
    most = settings.GATEWAY.plans[record.plan].requests_per_minute
    limit = LimitState.of_reply(POLICY, most, WINDOW_SECONDS, found[1])
    return Entry(record, limit, tuple(found[2:]), held)


def _missed(prefix: str, digest: bytes, wanted: Sequence[SplitKey]) -> Entry:
    record = _from_database(prefix, digest)
    try:
        key_records.write(redis_client(), record)
        entry = _from_cache(prefix, digest, wanted)
    except (redis.RedisError, RedisDown) as error:
        log.warning("key record not cached", error=type(error).__name__)
        entry = None
    return entry or _in_process(record)


def _from_database(prefix: str, digest: bytes) -> KeyRecord:
    record = selectors.key_record(prefix)
    if record is None:
        raise InvalidAPIKey
    _check(record, digest)
    return record


def _in_process(record: KeyRecord) -> Entry:
    most = settings.GATEWAY.plans[record.plan].requests_per_minute
    return Entry(record, _process_limits.take(record.organization_id, POLICY, most, WINDOW_SECONDS))


def _check(record: KeyRecord, digest: bytes) -> None:
    if not hmac.compare_digest(record.digest, digest) or not record.is_usable():
        raise InvalidAPIKey
    if record.prefix not in _records and len(_records) >= _RECORDS_MOST:
        _records.clear()
    _records[record.prefix] = record


@cache
def _plan_arguments() -> tuple[str | int, ...]:
    """For entering.lua; a changed setting holds from the restart on, whatever is cached."""
    plans = settings.GATEWAY.plans
    pairs = (part for name in plans for part in (name, plans[name].requests_per_minute))
    return (len(plans), *pairs)
