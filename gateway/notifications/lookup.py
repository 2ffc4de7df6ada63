"""What a notification depends on: from the cache, or from the service that owns it."""

from collections.abc import Sequence

import msgspec

from carillon.clients.http import ServiceDown
from carillon.contracts.records import (
    PolicyRecord,
    SuppressionRecord,
    TemplateRecord,
    UserRecord,
)
from carillon.contracts.suppressions import address_digest
from carillon.record_cache import POLICY, Cached
from gateway.admission.entry import SplitKey
from gateway.admission.scripts import RedisDown, scripts
from gateway.connections import policies, suppressions, templates, users
from gateway.notifications.errors import (
    TemplateNotFound,
    TemplateServiceUnavailable,
    UserServiceUnavailable,
)
from gateway.notifications.recipients import Recipient


class Lookup(msgspec.Struct, frozen=True):
    """What the caches had; what they had not is asked for when it is needed.

    `suppression` is of the address that the request names, if it names one.
    """

    organization_id: str
    template: Cached[TemplateRecord] | None
    user: Cached[UserRecord] | None
    policy: Cached[PolicyRecord] | None = None
    suppression: Cached[SuppressionRecord] | None = None

    def get_template(self, code: str) -> TemplateRecord:
        """Raises TemplateNotFound or TemplateServiceUnavailable."""
        try:
            found = templates().complete(self.organization_id, code, self.template)
        except ServiceDown:
            raise TemplateServiceUnavailable from None
        if found is None:
            raise TemplateNotFound(code)
        return found

    def find_user(self, user_id: str) -> UserRecord | None:
        """None where there is no such user. Raises UserServiceUnavailable."""
        try:
            return users().complete(self.organization_id, user_id, self.user)
        except ServiceDown:
            raise UserServiceUnavailable from None

    def get_policy(self) -> PolicyRecord:
        """What the organization decided for everybody. Raises UserServiceUnavailable."""
        try:
            found = policies().complete(self.organization_id, POLICY, self.policy)
        except ServiceDown:
            raise UserServiceUnavailable from None
        return found or PolicyRecord(organization_id=self.organization_id, revision=0)

    def is_suppressed(self, direct: Recipient) -> bool:
        """Whether nothing is sent to an address. Raises UserServiceUnavailable."""
        if not direct.is_suppressible:
            return False
        (address,) = direct.addresses
        try:
            reason = suppressions().complete(
                self.organization_id, direct.channel, address.value, self.suppression
            )
        except ServiceDown:
            raise UserServiceUnavailable from None
        return reason != ""


class Wanted(msgspec.Struct, frozen=True):
    """What a request names. `organization_id` is empty where it is not known yet."""

    organization_id: str
    template_code: str
    user_id: str
    direct: Recipient | None

    def cache_keys(self) -> Sequence[SplitKey]:
        """Where all of it is cached, in the order of `look_up`.

        An address is cached under a digest that the organization is part of: without it, the
        address is left out.
        """
        keys = [
            templates().cache.key_parts(self.template_code),
            users().cache.key_parts(self.user_id),
            policies().cache.key_parts(POLICY),
        ]
        if self.direct is not None and self.direct.is_suppressible and self.organization_id:
            (address,) = self.direct.addresses
            digest = address_digest(self.organization_id, self.direct.channel, address.value)
            keys.append(suppressions().cache.key_parts(digest.hex()))
        return keys

    def is_all(self, entries: Sequence[bytes | None]) -> bool:
        """Whether `entries` are those of all that is cached."""
        with_address = self.direct is not None and self.direct.is_suppressible
        return len(entries) == (4 if with_address else 3)


def look_up(wanted: Wanted, entries: Sequence[bytes | None]) -> Lookup:
    """`entries` are those of `cache_keys` as far as they were read; the rest is read now.

    The organization is known by now.
    """
    if not wanted.is_all(entries):
        keys = [before + wanted.organization_id + after for before, after in wanted.cache_keys()]
        missing = keys[len(entries) :]
        try:
            entries = [*entries, *scripts().command("MGET", *missing)]
        except RedisDown:
            entries = [*entries, *(None for _ in missing)]
    template, user, policy, *suppression = entries
    return Lookup(
        wanted.organization_id,
        templates().cache.decode(template),
        users().cache.decode(user),
        policies().cache.decode(policy),
        suppressions().cache.decode(suppression[0]) if suppression else None,
    )
