"""Fetches users and templates as records: the cache first, then HTTP, then what is stale."""

from typing import Generic
from urllib.parse import quote

import msgspec
import redis
import structlog
from prometheus_client import Counter

from carillon.clients.http import Answer, InternalHTTP, ServiceDown
from carillon.contracts.records import TemplateRecord, UserRecord
from carillon.record_cache import Cached, Record, RecordCache, template_cache, user_cache

log = structlog.get_logger(__name__)

LOOKUPS = Counter(
    "carillon_record_lookups_total",
    "Users and templates looked up, by where they came from.",
    ["kind", "source"],
)


class RecordLookup(Generic[Record]):
    """Looks records of one kind up. The owner, not this class, writes the cache."""

    def __init__(
        self,
        *,
        kind: str,
        shape: type[Record],
        path: str,
        http: InternalHTTP,
        cache: RecordCache[Record],
    ) -> None:
        self.cache = cache
        self.http = http
        self._kind = kind
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
        if cached is not None and cached.fresh:
            return self._count("cache", cached.record)
        try:
            path = self._path.format(quote(identifier, safe=""))
            answer = self.http.call("GET", path, organization_id=organization_id)
            return self._count("service", self._record(answer))
        except ServiceDown:
            if cached is None:
                self._count("none", None)
                raise
            log.warning("serving a stale record", kind=self._kind)
            return self._count("stale", cached.record)

    def _record(self, answer: Answer) -> Record | None:
        if answer.status == 404:
            return None
        if answer.status != 200:
            log.error("unexpected answer", of=self.http.service, status=answer.status)
            raise ServiceDown(self.http.service)
        try:
            return self._decoder.decode(answer.body)
        except msgspec.MsgspecError as error:
            log.error("unreadable answer", of=self.http.service, error=type(error).__name__)
            raise ServiceDown(self.http.service) from error

    def _count(self, source: str, record: Record | None) -> Record | None:
        LOOKUPS.labels(self._kind, source).inc()
        return record


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
