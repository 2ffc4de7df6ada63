"""Composes a notification: template, recipient and words, each with its refusals, in order."""

from datetime import datetime

import msgspec
from django.conf import settings

from carillon.contracts.lanes import Lane, lane_for
from carillon.contracts.messages import Content, DeliveryPolicy
from carillon.contracts.records import TemplateRecord, UserRecord
from carillon.contracts.status import Status
from gateway.notifications.asked import Asked
from gateway.notifications.errors import TemplateNotFound, TemplateTypeMismatch, UserNotFound
from gateway.notifications.lookup import Lookup
from gateway.notifications.recipients import Recipient, user_recipient
from gateway.notifications.times import check_times
from gateway.notifications.wording import check_variables, word
from gateway.unsubscribe.links import Links, links_for, with_way_out


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """What will be sent to whom; `status` is rejected where the recipient does not want it."""

    recipient: Recipient
    content: Content
    status: Status
    reason: str
    lane: Lane
    category: str
    delivery: DeliveryPolicy
    template_version: int | None
    language: str
    scheduled_at: datetime | None
    is_otp: bool


class _Words(msgspec.Struct, frozen=True):
    """What is said and which template says it."""

    content: Content
    links: Links
    template: TemplateRecord | None = None
    version: int | None = None
    language: str = ""


def compose(asked: Asked, lookup: Lookup, now: datetime) -> Composition:
    """Raises ValidationFailed for times, then what design lists down to no_address."""
    body = asked.body
    scheduled_at = check_times(body.scheduled_at, body.expires_at, now)
    if asked.inline is None:
        recipient, words = _from_template(asked, lookup)
    else:
        recipient = _recipient(asked, _user(asked, lookup))
        links = links_for(asked.caller.organization_id, recipient, body.category)
        words = _Words(asked.inline, links, language=body.language)
    template = words.template
    category = body.category or (template.category if template else "")
    essential = category in settings.GATEWAY.essential_categories
    reason = recipient.reason_not_to_send(category, essential=essential)
    status = Status.SCHEDULED if scheduled_at else Status.ACCEPTED
    return Composition(
        recipient=recipient,
        content=words.content if essential else with_way_out(words.content, words.links),
        status=Status.REJECTED if reason else status,
        reason=reason,
        lane=lane_for(priority=body.priority, category=category, template_code=body.template_code),
        category=category,
        delivery=template.delivery if template else DeliveryPolicy.AT_LEAST_ONCE,
        template_version=words.version,
        language=words.language,
        scheduled_at=scheduled_at,
        is_otp=template is not None and is_otp(template),
    )


def is_otp(template: TemplateRecord) -> bool:
    """True for templates of one-time passwords, which no recipient's limit may hold up."""
    return template.category == "otp" or "otp" in template.code.lower()


def _recipient(asked: Asked, user: UserRecord | None) -> Recipient:
    """Raises UserNotFound or NoAddress."""
    if asked.direct is not None:
        return asked.direct
    if user is None:
        raise UserNotFound(asked.body.user_id)
    return user_recipient(asked.body.notification_type, user)


def _user(asked: Asked, lookup: Lookup) -> UserRecord | None:
    """None where there is none, or none is needed. Raises UserServiceUnavailable."""
    return None if asked.direct is not None else lookup.find_user(asked.body.user_id)


def _from_template(asked: Asked, lookup: Lookup) -> tuple[Recipient, _Words]:
    body = asked.body
    template = lookup.get_template(body.template_code)
    if template.type != body.notification_type:
        raise TemplateTypeMismatch(template.type, body.notification_type)
    user = _user(asked, lookup)
    spoken = (body.language, user.language if user else "")
    chosen = template.in_language(*(tag for tag in spoken if tag))
    if chosen is None:
        raise TemplateNotFound(body.template_code)
    language, version = chosen
    check_variables(version, body.variables)
    recipient = _recipient(asked, user)
    preferred = body.language or recipient.language
    links = links_for(asked.caller.organization_id, recipient, body.category or template.category)
    content = word(
        template, version, body.variables, recipient, links, language=language, preferred=preferred
    )
    return recipient, _Words(content, links, template, version.version, language)
