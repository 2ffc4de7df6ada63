"""What must be known before a notification is composed, read in one trip to Redis."""

import hashlib
from dataclasses import dataclass
from enum import Enum

from carillon.clients.http import ServiceDown
from carillon.contracts.records import TemplateRecord, UserRecord
from carillon.record_cache import Cached
from gateway.admission.scripts import LOOK, RedisDown, scripts
from gateway.connections import templates, users
from gateway.notifications.errors import (
    TemplateNotFound,
    TemplateServiceUnavailable,
    UserServiceUnavailable,
)

IN_FLIGHT_SECONDS = 30
# PostgreSQL remembers request_ids for good; the marker only spares it work.
MARKER_SECONDS = 600


class Claim(Enum):
    """What Redis says of a request_id."""

    FREE = 1
    BEGAN = 2
    BEGAN_LONG_AGO = 3
    NOT_ASKED = 4


@dataclass(frozen=True, slots=True)
class Looked:
    """The claim on the request_id, and what the caches have."""

    organization_id: str
    claim: Claim
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


def look(organization_id: str, *, request_id: str, template_code: str, user_id: str) -> Looked:
    """Claim `request_id` and read both caches; what is empty is left out."""
    template_key = templates().cache.key(organization_id, template_code)
    user_key = users().cache.key(organization_id, user_id)
    claim, template, user = Claim.NOT_ASKED, None, None
    try:
        if request_id:
            number, template, user = scripts().run(
                LOOK,
                [_marker(organization_id, request_id), template_key, user_key],
                [IN_FLIGHT_SECONDS, MARKER_SECONDS],
            )
            claim = Claim(number)
        elif template_code or user_id:
            template, user = scripts().command("MGET", template_key, user_key)
    except RedisDown:
        pass
    return Looked(
        organization_id,
        claim,
        templates().cache.decode(template),
        users().cache.decode(user),
    )


def forget(organization_id: str, request_id: str) -> None:
    """Nothing was stored: let the request_id be used again at once."""
    try:
        scripts().command("DEL", _marker(organization_id, request_id))
    except RedisDown:
        # It frees itself when no request can be in flight any more.
        return


def _marker(organization_id: str, request_id: str) -> str:
    digest = hashlib.sha256(request_id.encode()).hexdigest()[:32]
    return f"carillon:request:{organization_id}:{digest}"
