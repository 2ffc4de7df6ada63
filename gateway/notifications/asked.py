"""What a client asked for, and what became of it."""

import hashlib
from uuid import UUID

import msgspec
from django.utils.functional import cached_property

from carillon.contracts.messages import Content
from carillon.contracts.status import Status
from gateway.admission.limits import LimitState
from gateway.notifications.bodies import NotificationBody
from gateway.notifications.lookup import Wanted
from gateway.notifications.recipients import Recipient
from gateway.organizations.key_records import KeyRecord


class Asked(msgspec.Struct, frozen=True, dict=True):
    """A request that is valid in itself. `request_id` is empty where the client gave none.

    `direct` is the recipient that `to` names, `inline` the content of the request; each is None
    where there is a user, or a template, instead.
    """

    caller: KeyRecord
    body: NotificationBody
    direct: Recipient | None
    inline: Content | None
    request_id: str
    correlation_id: str
    traceparent: str

    @cached_property
    def organization_id(self) -> UUID:
        """As it is stored."""
        return self.caller.organization_uuid

    @property
    def wanted(self) -> Wanted:
        """What has to be looked up."""
        body = self.body
        return Wanted(self.caller.organization_id, body.template_code, body.user_id, self.direct)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of what was asked for, however it was spelled; live and test are not the same."""
        body = self.body
        if body.request_id:
            body = msgspec.structs.replace(body, request_id="")
        text = msgspec.json.encode(body, order="sorted")
        return hashlib.sha256(self.caller.mode.value.encode() + text).digest()


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The notification that a request led to; `replayed` where an earlier one had."""

    notification_id: str
    status: Status
    reason: str
    request_id: str
    correlation_id: str
    replayed: bool = False
    month: LimitState | None = None
