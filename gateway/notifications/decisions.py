"""Whether a notification may be sent to its recipient, and when: what people and policies say.

In this order: a suppressed address gets nothing. What is essential passes all the rest. Then come
the choices by channel and by category (the user's own, else the organization's), and quiet hours.
How often a category may reach somebody is counted when the notification is reserved.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from django.conf import settings

from carillon.contracts.records import CategoryPolicy, PolicyRecord
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.admission.claims import FrequencyCap
from gateway.notifications.quiet_hours import quiet_until
from gateway.notifications.recipients import Recipient

_UNDECIDED = CategoryPolicy()


class Objection(msgspec.Struct, frozen=True):
    """One reason not to send; the message is for people."""

    reason: Reason
    message: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a notification: rejected by the first objection, or sent, now or later.

    `reason` says why it is rejected, or later than was asked for. `cap` is still to be counted.
    """

    status: Status
    reason: str
    scheduled_at: datetime | None
    is_essential: bool
    cap: FrequencyCap | None
    objections: tuple[Objection, ...]


def decide(
    recipient: Recipient,
    category: str,
    policy: PolicyRecord,
    *,
    scheduled_at: datetime | None,
    expires_at: datetime | None,
    now: datetime,
) -> Decision:
    """`scheduled_at` None is `now`."""
    decided = policy.categories.get(category, _UNDECIDED)
    is_essential = essential(category, policy)
    objections = refusals(recipient, category, policy)
    send_at, reason = scheduled_at, ""
    if recipient.quiet_hours and not is_essential:
        asked = scheduled_at or now
        end = quiet_until(recipient.quiet_hours, recipient.timezone, asked)
        if end is None or (end > asked and expires_at is not None and expires_at <= end):
            objections = (*objections, _never(end))
        elif end > asked:
            send_at, reason = end, Reason.QUIET_HOURS.value
    if objections:
        status, reason = Status.REJECTED, objections[0].reason.value
    else:
        status = Status.SCHEDULED if send_at else Status.ACCEPTED
    return Decision(
        status=status,
        reason=reason,
        scheduled_at=scheduled_at if objections else send_at,
        is_essential=is_essential,
        cap=None
        if is_essential or not decided.cap_limit
        else FrequencyCap(category, decided.cap_limit, decided.cap_seconds),
        objections=objections,
    )


def refusals(recipient: Recipient, category: str, policy: PolicyRecord) -> tuple[Objection, ...]:
    """Why nothing may be sent to the recipient, whenever it would be."""
    found: tuple[Objection, ...] = ()
    if recipient.is_suppressed:
        message = f"The address is suppressed on {recipient.channel}."
        found = (Objection(Reason.SUPPRESSED, message),)
    # An address without a user said nothing, and the client means it: there is no default for it.
    if not recipient.user_id or essential(category, policy):
        return found
    return (*found, *_opt_outs(recipient, category, policy))


def essential(category: str, policy: PolicyRecord) -> bool:
    """Whether it reaches everybody: as the organization decided, else as the setting says."""
    decided = policy.categories.get(category)
    if decided is None:
        return category in settings.GATEWAY.essential_categories
    return decided.essential


def _opt_outs(recipient: Recipient, category: str, policy: PolicyRecord) -> tuple[Objection, ...]:
    channel = recipient.channel
    by_category = policy.categories.get(category, _UNDECIDED).preferences
    said = recipient.category_choices.get(category, {})
    found = (
        _opt_out(channel, channel, recipient.choices, policy.preferences),
        _opt_out(f"the category {category!r} on {channel}", channel, said, by_category),
    )
    return tuple(objection for objection in found if objection is not None)


def _opt_out(
    what: str, channel: str, said: Mapping[str, bool], defaults: Mapping[str, bool]
) -> Objection | None:
    choice = said.get(channel)
    if choice is None:
        if defaults.get(channel, True):
            return None
        message = f"Off by default, and the user did not switch it on: {what}."
        return Objection(Reason.USER_OPTED_OUT, message)
    if choice:
        return None
    return Objection(Reason.USER_OPTED_OUT, f"The user switched off: {what}.")


def _never(end: datetime | None) -> Objection:
    if end is None:
        return Objection(Reason.QUIET_HOURS, "The user's quiet hours never end.")
    message = f"The user's quiet hours end at {end.isoformat()}, when it has expired."
    return Objection(Reason.QUIET_HOURS, message)
