"""Whether what failed may be sent again, and to where: the user's word of today counts.

A bounce suppresses the address that it came from, and users opt out, move or go between a failure
and its replay. What was sent to an address without a user goes there again, unless it is
suppressed. Whoever replays means now: quiet hours and frequency caps do not hold it up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from carillon.clients.http import ServiceDown
from carillon.contracts import ids
from carillon.contracts.messages import Address
from carillon.contracts.records import PolicyRecord, UserRecord
from carillon.errors import Reason
from carillon.record_cache import POLICY
from gateway.connections import policies, suppressions, user_service, users
from gateway.notifications.decisions import refusals
from gateway.notifications.errors import NoAddress, UserServiceUnavailable
from gateway.notifications.models import NotificationContent
from gateway.notifications.recipients import Recipient, user_recipient

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


@dataclass(frozen=True, slots=True)
class _Circumstances:
    """What the organization decided, and the notifications whose address is suppressed."""

    policy: PolicyRecord
    suppressed: frozenset[str]


class _Records(msgspec.Struct, frozen=True):
    """What user_service answers to a batch."""

    users: list[UserRecord]


_decode_records = msgspec.json.Decoder(_Records).decode


def decide(organization_id: str, failed: Failed) -> Decision:
    """The decision about one. Raises UserServiceUnavailable."""
    try:
        user = users().get(organization_id, failed.user_id) if failed.user_id else None
        known = {user.user_id: user} if user is not None else {}
        return _decide(failed, known, _circumstances(organization_id, [failed]))
    except ServiceDown:
        raise UserServiceUnavailable from None


def decide_all(organization_id: str, failed: Sequence[Failed]) -> list[Decision]:
    """The decisions in the same order; users are asked for by the thousand.

    Raises UserServiceUnavailable.
    """
    known = _fetch(organization_id, sorted({each.user_id for each in failed if each.user_id}))
    try:
        circumstances = _circumstances(organization_id, failed)
    except ServiceDown:
        raise UserServiceUnavailable from None
    return [_decide(each, known, circumstances) for each in failed]


def _decide(
    failed: Failed, known: Mapping[str, UserRecord], circumstances: _Circumstances
) -> Decision:
    notification = ids.uuid_of(ids.NOTIFICATION, failed.notification_id)
    if not failed.user_id:
        is_suppressed = failed.notification_id in circumstances.suppressed
        return Decision(notification, Reason.SUPPRESSED.value if is_suppressed else "")
    user = known.get(failed.user_id)
    if user is None:
        return Decision(notification, Reason.NO_ADDRESS.value)
    try:
        recipient = user_recipient(failed.channel, user)
    except NoAddress:
        return Decision(notification, Reason.NO_ADDRESS.value)
    objections = refusals(recipient, failed.category, circumstances.policy)
    if objections:
        return Decision(notification, objections[0].reason.value)
    return Decision(notification, addresses=recipient.addresses)


def _circumstances(organization_id: str, failed: Sequence[Failed]) -> _Circumstances:
    """Raises ServiceDown."""
    direct = [each for each in failed if not each.user_id]
    policy = policies().get(organization_id, POLICY) if len(direct) < len(failed) else None
    return _Circumstances(
        policy or PolicyRecord(organization_id=organization_id, revision=0),
        _suppressed(organization_id, direct),
    )


def _suppressed(organization_id: str, failed: Sequence[Failed]) -> frozenset[str]:
    """Of notifications to addresses without a user those whose address is suppressed."""
    stored = NotificationContent.objects.in_bulk([each.notification_id for each in failed])
    waiting: dict[str, dict[str, list[str]]] = {}
    for each in failed:
        if each.notification_id not in stored:
            continue
        for address in stored[each.notification_id].addresses:
            by_address = waiting.setdefault(each.channel, {})
            by_address.setdefault(address["value"], []).append(each.notification_id)
    found: set[str] = set()
    for channel, by_address in waiting.items():
        if not Recipient(channel, ()).is_suppressible:
            continue
        addresses = sorted(by_address)
        for start in range(0, len(addresses), BATCH):
            some = addresses[start : start + BATCH]
            for address in suppressions().ask(
                organization_id, channel, some, read_timeout=BATCH_TIMEOUT
            ):
                found.update(by_address[address])
    return frozenset(found)


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
