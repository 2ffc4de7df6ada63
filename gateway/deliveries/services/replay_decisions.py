"""Whether what failed may be sent again, and to where: the user's word of today counts.

A bounce suppresses the address that it came from, and users opt out, move or go between a failure
and its replay. What was sent to an address without a user goes there again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from django.conf import settings

from carillon.clients.http import ServiceDown
from carillon.contracts import ids
from carillon.contracts.messages import Address
from carillon.contracts.records import UserRecord
from carillon.errors import Reason
from gateway.connections import user_service, users
from gateway.notifications.errors import NoAddress, UserServiceUnavailable
from gateway.notifications.recipients import user_recipient

# The most that user_service answers at once, and how long that may take in seconds.
BATCH = 1_000
BATCH_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Failed:
    """What a decision needs to know of a notification."""

    notification_id: str
    user_id: str
    channel: str
    category: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`refusal` says why it must not be sent, empty if it may; `addresses` None are as stored."""

    notification: UUID
    refusal: str = ""
    addresses: tuple[Address, ...] | None = None


class _Records(msgspec.Struct, frozen=True):
    """What user_service answers to a batch."""

    users: list[UserRecord]


_decode_records = msgspec.json.Decoder(_Records).decode


def decide(organization_id: str, failed: Failed) -> Decision:
    """The decision about one. Raises UserServiceUnavailable."""
    if not failed.user_id:
        return _decide(failed, None)
    try:
        user = users().get(organization_id, failed.user_id)
    except ServiceDown:
        raise UserServiceUnavailable from None
    return _decide(failed, user)


def decide_all(organization_id: str, failed: Sequence[Failed]) -> list[Decision]:
    """The decisions in the same order; users are asked for by the thousand.

    Raises UserServiceUnavailable.
    """
    known = _fetch(organization_id, sorted({each.user_id for each in failed if each.user_id}))
    return [_decide(each, known.get(each.user_id)) for each in failed]


def _decide(failed: Failed, user: UserRecord | None) -> Decision:
    notification = ids.parse_id(ids.NOTIFICATION, failed.notification_id)
    if notification is None:
        raise ValueError("a stored notification has no id")
    if not failed.user_id:
        return Decision(notification)
    if user is None:
        return Decision(notification, Reason.NO_ADDRESS.value)
    try:
        recipient = user_recipient(failed.channel, user)
    except NoAddress:
        return Decision(notification, Reason.NO_ADDRESS.value)
    essential = failed.category in settings.GATEWAY.essential_categories
    refusal = recipient.reason_not_to_send(failed.category, essential=essential)
    return Decision(notification, refusal, None if refusal else recipient.addresses)


def _fetch(organization_id: str, user_ids: Sequence[str]) -> Mapping[str, UserRecord]:
    """By user id; who is gone is left out. Raises UserServiceUnavailable."""
    found: dict[str, UserRecord] = {}
    for start in range(0, len(user_ids), BATCH):
        some = user_ids[start : start + BATCH]
        try:
            answer = user_service().call(
                "POST",
                "/internal/users/batch/",
                organization_id=organization_id,
                body=msgspec.json.encode({"user_ids": some}),
                read_timeout=BATCH_TIMEOUT,
            )
            records = _decode_records(answer.body) if answer.status == 200 else None
        except (ServiceDown, msgspec.MsgspecError):
            records = None
        if records is None:
            raise UserServiceUnavailable
        found.update((user.user_id, user) for user in records.users)
    return found
