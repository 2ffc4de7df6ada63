"""The template and the user of a notification: from the cache, or from the service that owns it."""

from collections.abc import Sequence

import msgspec

from carillon.clients.http import ServiceDown
from carillon.contracts.records import TemplateRecord, UserRecord
from carillon.record_cache import Cached
from gateway.admission.entry import SplitKey
from gateway.admission.scripts import RedisDown, scripts
from gateway.connections import templates, users
from gateway.notifications.errors import (
    TemplateNotFound,
    TemplateServiceUnavailable,
    UserServiceUnavailable,
)


class Lookup(msgspec.Struct, frozen=True):
    """What the caches had; what they had not is asked for when it is needed."""

    organization_id: str
    template: Cached[TemplateRecord] | None
    user: Cached[UserRecord] | None

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


def cache_keys(template_code: str, user_id: str) -> Sequence[SplitKey]:
    """Where both are cached, whatever the organization."""
    return (
        _split(templates().cache.key(_ANY, template_code)),
        _split(users().cache.key(_ANY, user_id)),
    )


def look_up(
    organization_id: str, *, template_code: str, user_id: str, entries: Sequence[bytes | None]
) -> Lookup:
    """`entries` are those of `cache_keys` if they were read; if not, they are read now."""
    if not entries and (template_code or user_id):
        try:
            entries = scripts().command(
                "MGET",
                templates().cache.key(organization_id, template_code),
                users().cache.key(organization_id, user_id),
            )
        except RedisDown:
            entries = ()
    template, user = entries or (None, None)
    return Lookup(organization_id, templates().cache.decode(template), users().cache.decode(user))


# Stands for an organization's id: no id has a line break.
_ANY = "\n"


def _split(key: str) -> SplitKey:
    before, _, after = key.partition(_ANY)
    return before, after
