"""Fetches the users, and the suppressions, that a bulk request needs: a thousand in each trip.

As for one record: the cache first, then the owner, then what is stale.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec
import redis
import structlog

from carillon.clients.http import ServiceDown
from carillon.clients.records import LOOKUPS, RecordLookup, SuppressionLookup
from carillon.contracts.records import SuppressionRecord, UserRecord
from carillon.contracts.suppressions import address_digest
from carillon.record_cache import Cached, Record, RecordCache

log = structlog.get_logger(__name__)

IN_ONE_TRIP = 1_000
# A thousand users take their service longer than one.
READ_SECONDS = 10.0

Item = TypeVar("Item")
# What is asked for by name, by that name; who does not exist is None or left out.
Ask = Callable[[Sequence[str]], Mapping[str, Record | None]]


class _Users(msgspec.Struct, frozen=True):
    """What `POST /internal/users/batch/` answers, as far as it is read."""

    users: list[UserRecord]


_decoder = msgspec.json.Decoder(_Users)


def get_users(
    lookup: RecordLookup[UserRecord], organization_id: str, identifiers: Iterable[str]
) -> dict[str, UserRecord | None]:
    """The users that these ids and external ids name; None where there is no such user.

    Raises ServiceDown where the owner does not answer and the cache has not all of them.
    """

    def ask(names: Sequence[str]) -> dict[str, UserRecord | None]:
        found: dict[str, UserRecord | None] = {}
        for user in _ask_for_users(lookup, organization_id, names):
            found[user.user_id] = user
            if user.external_id:
                found[user.external_id] = user
        return found

    wanted = {identifier: identifier for identifier in identifiers}
    return _resolve("user", lookup.cache, organization_id, wanted, ask)


def get_suppressed(
    lookup: SuppressionLookup, organization_id: str, channel: str, addresses: Iterable[str]
) -> frozenset[str]:
    """Those of `addresses` to which nothing is sent on `channel`. Raises ServiceDown."""

    def ask(names: Sequence[str]) -> dict[str, SuppressionRecord | None]:
        reasons = lookup.ask(organization_id, channel, names, read_timeout=READ_SECONDS)
        return {
            name: SuppressionRecord(revision=0, reason=reason) for name, reason in reasons.items()
        }

    wanted = {
        address: address_digest(organization_id, channel, address).hex() for address in addresses
    }
    found = _resolve("suppression", lookup.cache, organization_id, wanted, ask)
    return frozenset(address for address, record in found.items() if record and record.reason)


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """`items` in runs of up to `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _resolve(
    kind: str,
    cache: RecordCache[Record],
    organization_id: str,
    wanted: Mapping[str, str],
    ask: Ask[Record],
) -> dict[str, Record | None]:
    """Each of `wanted`: names, and under what they are cached. Raises ServiceDown."""
    cached = _read(kind, cache, organization_id, wanted)
    found = {name: entry.record for name, entry in cached.items() if entry.fresh}
    missing = [name for name in wanted if name not in found]
    LOOKUPS.labels(kind, "cache").inc(len(found))
    for names in chunks(missing, IN_ONE_TRIP):
        try:
            answered = ask(names)
        except ServiceDown:
            rest = [name for name in missing if name not in found]
            if any(name not in cached for name in rest):
                LOOKUPS.labels(kind, "none").inc(len(rest))
                raise
            log.warning("serving stale records", kind=kind, records=len(rest))
            LOOKUPS.labels(kind, "stale").inc(len(rest))
            found.update((name, cached[name].record) for name in rest)
            break
        LOOKUPS.labels(kind, "service").inc(len(names))
        found.update((name, answered.get(name)) for name in names)
    return found


def _read(
    kind: str, cache: RecordCache[Record], organization_id: str, wanted: Mapping[str, str]
) -> dict[str, Cached[Record]]:
    """What the cache has, by name; as much as it gave before it failed."""
    found: dict[str, Cached[Record]] = {}
    for names in chunks(list(wanted), IN_ONE_TRIP):
        try:
            entries = cache.read_many(organization_id, [wanted[name] for name in names])
        except redis.RedisError as error:
            log.warning("cache read failed", kind=kind, error=type(error).__name__)
            break
        found.update(
            (name, entry) for name, entry in zip(names, entries, strict=True) if entry is not None
        )
    return found


def _ask_for_users(
    lookup: RecordLookup[UserRecord], organization_id: str, names: Sequence[str]
) -> list[UserRecord]:
    """Up to 1,000. Raises ServiceDown."""
    service = lookup.http.service
    answer = lookup.http.call(
        "POST",
        "/internal/users/batch/",
        organization_id=organization_id,
        body=msgspec.json.encode({"user_ids": names}),
        read_timeout=READ_SECONDS,
    )
    if answer.status != 200:
        log.error("unexpected answer", of=service, status=answer.status)
        raise ServiceDown(service)
    try:
        return _decoder.decode(answer.body).users
    except msgspec.MsgspecError as error:
        log.error("unreadable answer", of=service, error=type(error).__name__)
        raise ServiceDown(service) from error
