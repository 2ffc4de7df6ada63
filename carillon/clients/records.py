"""Fetches what other services own as records: the cache first, then HTTP, then what is stale."""

from collections.abc import Callable, Sequence
from typing import Generic
from urllib.parse import quote

import msgspec
import redis
import structlog
from prometheus_client import Counter

from carillon.clients.http import READ_SECONDS, Answer, InternalHTTP, ServiceDown
from carillon.contracts.records import (
    PolicyRecord,
    SuppressionRecord,
    TemplateRecord,
    UserRecord,
)
from carillon.record_cache import (
    Cached,
    Record,
    RecordCache,
    policy_cache,
    suppression_cache,
    template_cache,
    user_cache,
)

log = structlog.get_logger(__name__)

LOOKUPS = Counter(
    "carillon_record_lookups_total",
    "Users, templates, policies and suppressions looked up, by where they came from.",
    ["kind", "source"],
)


_SOURCES = ("cache", "service", "stale", "none")


class _Source(Generic[Record]):
    """One kind of record. The owner, not this class, writes the cache."""

    def __init__(self, *, kind: str, http: InternalHTTP, cache: RecordCache[Record]) -> None:
        self.cache = cache
        self.http = http
        self._kind = kind
        # Three of them are counted for every notification.
        self._counts = {name: LOOKUPS.labels(kind, name) for name in _SOURCES}

    def _resolve(
        self, cached: Cached[Record] | None, ask: Callable[[], Record | None]
    ) -> Record | None:
        """What is fresh, else the owner's word, else what is stale. Raises ServiceDown."""
        if cached is not None and cached.fresh:
            return self._count("cache", cached.record)
        try:
            return self._count("service", ask())
        except ServiceDown:
            if cached is None:
                self._count("none", None)
                raise
            log.warning("serving a stale record", kind=self._kind)
            return self._count("stale", cached.record)

    def _unexpected(self, answer: Answer) -> ServiceDown:
        log.error("unexpected answer", of=self.http.service, status=answer.status)
        return ServiceDown(self.http.service)

    def _unreadable(self, error: msgspec.MsgspecError) -> ServiceDown:
        log.error("unreadable answer", of=self.http.service, error=type(error).__name__)
        return ServiceDown(self.http.service)

    def _count(self, source: str, record: Record | None) -> Record | None:
        self._counts[source].inc()
        return record


class RecordLookup(_Source[Record]):
    """Looks records up by their identifier."""

    def __init__(
        self,
        *,
        kind: str,
        shape: type[Record],
        path: str,
        http: InternalHTTP,
        cache: RecordCache[Record],
    ) -> None:
        super().__init__(kind=kind, http=http, cache=cache)
        self._path = path
        self._decoder = msgspec.json.Decoder(shape)

    def get(self, organization_id: str, identifier: str) -> Record | None:
        """The record, or None where the owner says there is none. Raises ServiceDown."""
        try:
            cached = self.cache.read(organization_id, identifier)
        except redis.RedisError as error:
            log.warning("cache read failed", kind=self._kind, error=type(error).__name__)
            cached = None
        return self.complete(organization_id, identifier, cached)

    def complete(
        self, organization_id: str, identifier: str, cached: Cached[Record] | None
    ) -> Record | None:
        """The same, where the cache was already read. Raises ServiceDown."""
        return self._resolve(cached, lambda: self._ask(organization_id, identifier))

    def _ask(self, organization_id: str, identifier: str) -> Record | None:
        path = self._path.format(quote(identifier, safe=""))
        answer = self.http.call("GET", path, organization_id=organization_id)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise self._unexpected(answer)
        try:
            return self._decoder.decode(answer.body)
        except msgspec.MsgspecError as error:
            raise self._unreadable(error) from error


class _Suppressed(msgspec.Struct, frozen=True):
    """Of the addresses asked about those that are suppressed, and why."""

    suppressed: dict[str, str]


class SuppressionLookup(_Source[SuppressionRecord]):
    """Looks up whether addresses that are no user's are suppressed."""

    _decoder = msgspec.json.Decoder(_Suppressed)

    def complete(
        self,
        organization_id: str,
        channel: str,
        address: str,
        cached: Cached[SuppressionRecord] | None,
    ) -> str:
        """Why nothing is sent to `address`; empty if it may be. Raises ServiceDown.

        `cached` is what the cache has under `carillon.contracts.suppressions.address_digest`.
        """

        def ask() -> SuppressionRecord:
            reasons = self.ask(organization_id, channel, [address])
            return SuppressionRecord(revision=0, reason=reasons.get(address, ""))

        record = self._resolve(cached, ask)
        return record.reason if record is not None else ""

    def ask(
        self,
        organization_id: str,
        channel: str,
        addresses: Sequence[str],
        *,
        read_timeout: float = READ_SECONDS,
    ) -> dict[str, str]:
        """Of up to 1,000 addresses those that are suppressed, and why. Raises ServiceDown."""
        answer = self.http.call(
            "POST",
            "/internal/suppressions/check/",
            organization_id=organization_id,
            body=msgspec.json.encode({"channel": channel, "addresses": addresses}),
            read_timeout=read_timeout,
        )
        if answer.status != 200:
            raise self._unexpected(answer)
        try:
            return self._decoder.decode(answer.body).suppressed
        except msgspec.MsgspecError as error:
            raise self._unreadable(error) from error


def user_lookup(http: InternalHTTP, client: redis.Redis) -> RecordLookup[UserRecord]:
    """Users by id or external id: `GET /internal/users/<identifier>/` of user_service."""
    return RecordLookup(
        kind="user",
        shape=UserRecord,
        path="/internal/users/{}/",
        http=http,
        cache=user_cache(client),
    )


def template_lookup(http: InternalHTTP, client: redis.Redis) -> RecordLookup[TemplateRecord]:
    """Templates by code: `GET /internal/templates/<code>/` of template_service."""
    return RecordLookup(
        kind="template",
        shape=TemplateRecord,
        path="/internal/templates/{}/",
        http=http,
        cache=template_cache(client),
    )


def policy_lookup(http: InternalHTTP, client: redis.Redis) -> RecordLookup[PolicyRecord]:
    """What organizations decided, under POLICY: `GET /internal/policy/` of user_service."""
    return RecordLookup(
        kind="policy",
        shape=PolicyRecord,
        path="/internal/policy/",
        http=http,
        cache=policy_cache(client),
    )


def suppression_lookup(http: InternalHTTP, client: redis.Redis) -> SuppressionLookup:
    """Suppressed addresses: `POST /internal/suppressions/check/` of user_service."""
    return SuppressionLookup(kind="suppression", http=http, cache=suppression_cache(client))
