"""The caches as the gateway reads them."""

import redis

from carillon.contracts.records import PolicyRecord, SuppressionRecord, UserRecord
from carillon.contracts.suppressions import address_digest
from carillon.record_cache import POLICY, Cached, policy_cache, suppression_cache, user_cache
from user_service.tests.calls import Api


class Gateway:
    """Fails where an entry is missing or stale."""

    def __init__(self, client: redis.Redis) -> None:
        self._users = user_cache(client)
        self._policies = policy_cache(client)
        self._suppressions = suppression_cache(client)
        self.client = client

    def entry(self, api: Api, name: str) -> Cached[UserRecord]:
        found = self._users.read(api.organization_id, name)
        assert found is not None, f"nothing is cached as {name}"
        assert found.fresh
        return found

    def user(self, api: Api, name: str) -> UserRecord:
        found = self.entry(api, name).record
        assert found is not None, f"{name} is cached as absent"
        return found

    def has_user(self, api: Api, name: str) -> bool:
        return self._users.read(api.organization_id, name) is not None

    def policy(self, api: Api) -> PolicyRecord:
        found = self._policies.read(api.organization_id, POLICY)
        assert found is not None
        assert found.record is not None
        return found.record

    def suppression(self, api: Api, channel: str, address: str) -> SuppressionRecord | None:
        digest = address_digest(api.organization_id, channel, address)
        found = self._suppressions.read(api.organization_id, digest.hex())
        return found.record if found else None
