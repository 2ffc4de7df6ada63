"""What a bulk request asked for, and what became of it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.utils.functional import cached_property

from carillon.contracts.messages import Content
from carillon.web.errors import ApiError
from gateway.admission.limits import LimitState
from gateway.batches.bodies import read_recipient
from gateway.batches.shapes import BulkShape, Refusal
from gateway.notifications.asked import Asked
from gateway.notifications.bodies import NotificationBody
from gateway.notifications.recipients import direct_recipient
from gateway.organizations.key_records import KeyRecord


@dataclass(frozen=True)
class BulkAsked:
    """A request that is valid as a whole. `request_id` is empty where the client gave none.

    `shared` is the body of a single notification to nobody, `recipients` are as they were sent.
    """

    caller: KeyRecord
    shared: NotificationBody
    inline: Content | None
    recipients: Sequence[Any]
    request_id: str
    correlation_id: str
    traceparent: str

    @cached_property
    def organization_id(self) -> UUID:
        """As it is stored."""
        return self.caller.organization_uuid

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of what was asked for, in whatever order its fields came."""
        shared = msgspec.structs.replace(self.shared, request_id="")
        digest = hashlib.sha256(self.caller.mode.value.encode())
        digest.update(msgspec.json.encode(shared, order="sorted"))
        digest.update(msgspec.json.encode(self.recipients, order="sorted"))
        return digest.digest()

    def notifications(self) -> Iterator[Asked | ApiError]:
        """Each recipient's notification, valid in itself, or what is wrong with it."""
        for value in self.recipients:
            try:
                yield self._notification(value)
            except ApiError as refusal:
                yield refusal

    def _notification(self, value: Any) -> Asked:
        """Raises MissingFields or ValidationFailed."""
        body = read_recipient(value, self.shared)
        asked = Asked(
            caller=self.caller,
            body=body,
            direct=(None if body.to is None else direct_recipient(body.notification_type, body.to)),
            inline=self.inline,
            request_id=body.request_id,
            correlation_id=self.correlation_id,
            traceparent=self.traceparent,
        )
        # Its properties, known beforehand: the digest is compared where there is a request_id.
        vars(asked)["organization_id"] = self.organization_id
        if not body.request_id:
            vars(asked)["digest"] = b""
        return asked


class AcceptedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a bulk request; `is_replay` where an earlier one had led to it."""

    shape: BulkShape
    is_replay: bool = False
    month: LimitState | None = None


def refusal_of(index: int, error: ApiError) -> Refusal:
    """With the fields that are wrong in its message: there is no room for details."""
    message = error.message
    if error.code in {"validation_error", "missing_fields"} and error.details:
        problems = (
            f"{name}: {' '.join(told) if isinstance(told, list | tuple) else told}"
            for name, told in error.details.items()
        )
        message = " ".join(problems)
    return Refusal(index, error.code, message)
