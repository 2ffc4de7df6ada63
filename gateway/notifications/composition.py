"""Composes a notification: template, recipient and words, each with its refusals, in order."""

from collections.abc import Callable
from datetime import datetime
from typing import ParamSpec, TypeVar

import msgspec

from carillon.contracts.lanes import Lane, lane_for
from carillon.contracts.messages import Content, DeliveryPolicy
from carillon.contracts.records import PolicyRecord, PublishedVersion, TemplateRecord, UserRecord
from carillon.contracts.status import Status
from carillon.web.errors import ApiError, ServiceUnavailable
from gateway.admission.claims import FrequencyCap
from gateway.fallbacks.promises import Promise, promise_of
from gateway.notifications.asked import Asked
from gateway.notifications.decisions import Decision, decide
from gateway.notifications.errors import TemplateNotFound, TemplateTypeMismatch, UserNotFound
from gateway.notifications.lookup import Lookup
from gateway.notifications.options import with_options
from gateway.notifications.recipients import Recipient, user_recipient
from gateway.notifications.times import check_times
from gateway.notifications.wording import check_variables, word
from gateway.unsubscribe.links import links_for, with_way_out

Refuse = Callable[[ApiError], object]
_Arguments = ParamSpec("_Arguments")
_Found = TypeVar("_Found")


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """What will be sent to whom; `status` is rejected where it must not be, `reason` says why.

    A `cap` is still to be counted.
    """

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
    cap: FrequencyCap | None = None
    track_opens: bool = False
    track_clicks: bool = False
    # Seconds; 0 waits for a receipt for ever.
    expect_receipt_within: int = 0
    fallback: Promise | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as far as it could be composed: why something is missing was told."""

    recipient: Recipient | None
    content: Content | None
    template: TemplateRecord | None
    version: int | None
    language: str
    category: str
    lane: Lane
    decision: Decision | None
    fallback: Promise | None = None

    def composition(self) -> Composition | None:
        """None where something is missing."""
        recipient, content, decision = self.recipient, self.content, self.decision
        if recipient is None or content is None or decision is None:
            return None
        template = self.template
        return Composition(
            recipient=recipient,
            content=content,
            status=decision.status,
            reason=decision.reason,
            lane=self.lane,
            category=self.category,
            delivery=template.delivery if template else DeliveryPolicy.AT_LEAST_ONCE,
            template_version=self.version,
            language=self.language,
            scheduled_at=decision.scheduled_at,
            is_otp=template is not None and is_otp(template),
            cap=decision.cap,
            track_opens=template is not None and template.track_opens,
            track_clicks=template is not None and template.track_clicks,
            expect_receipt_within=template.expect_receipt_within if template else 0,
            fallback=self.fallback,
        )


def compose(asked: Asked, lookup: Lookup, now: datetime) -> Composition:
    """Raises ValidationFailed for times, then what design lists down to no_address."""
    composition = draft(asked, lookup, now, _raise).composition()
    if composition is None:
        raise AssertionError("something is missing and nothing was refused")
    return composition


def draft(asked: Asked, lookup: Lookup, now: datetime, refuse: Refuse) -> Draft:
    """Goes on after a refusal where `refuse` returns.

    Raises UserServiceUnavailable or TemplateServiceUnavailable.
    """
    body = asked.body
    scheduled_at = _attempt(refuse, check_times, body.scheduled_at, body.expires_at, now)
    template = None if asked.inline else _attempt(refuse, _template, asked, lookup)
    user = None if asked.direct is not None else lookup.find_user(body.user_id)
    language, version = body.language, None
    if template is not None:
        chosen = _attempt(refuse, _choose, template, body.language, user)
        if chosen is not None:
            language, version = chosen
    is_complete = version is not None and _attempt(refuse, _check, version, asked)
    recipient = _attempt(refuse, _recipient, asked, lookup, user)
    category = body.category or (template.category if template else "")
    decision = content = None
    if recipient is not None:
        decision = decide(
            recipient,
            category,
            _policy(lookup, recipient, category),
            scheduled_at=scheduled_at,
            expires_at=body.expires_at,
            now=now,
        )
        links = links_for(asked.caller.organization_id, recipient, category)
        content = asked.inline
        if template is not None and version is not None and is_complete:
            content = _attempt(
                refuse,
                word,
                template,
                version,
                body.variables,
                recipient,
                links,
                language=language,
                preferred=body.language or recipient.language,
            )
        if content is not None and not decision.is_essential:
            content = with_way_out(content, links)
        if content is not None and body.adds_to_content:
            content = with_options(content, body)
    return Draft(
        recipient=recipient,
        content=content,
        template=template,
        version=version.version if version else None,
        language=language,
        category=category,
        lane=lane_for(priority=body.priority, category=category, template_code=body.template_code),
        decision=decision,
        fallback=None if template is None else promise_of(template.fallback, body, asked.direct),
    )


def is_otp(template: TemplateRecord) -> bool:
    """True for templates of one-time passwords, which no recipient's limit may hold up."""
    return template.category == "otp" or "otp" in template.code.lower()


def _raise(refusal: ApiError) -> None:
    raise refusal


def _attempt(
    refuse: Refuse,
    step: Callable[_Arguments, _Found],
    *args: _Arguments.args,
    **kwargs: _Arguments.kwargs,
) -> _Found | None:
    """What `step` gives; None where it refused, and `refuse` went on."""
    try:
        return step(*args, **kwargs)
    except ServiceUnavailable:
        raise
    except ApiError as refusal:
        refuse(refusal)
    return None


def _template(asked: Asked, lookup: Lookup) -> TemplateRecord:
    template = lookup.get_template(asked.body.template_code)
    if template.type != asked.body.notification_type:
        raise TemplateTypeMismatch(template.type, asked.body.notification_type)
    return template


def _choose(
    template: TemplateRecord, language: str, user: UserRecord | None
) -> tuple[str, PublishedVersion]:
    spoken = (language, user.language if user else "")
    chosen = template.in_language(*(tag for tag in spoken if tag))
    if chosen is None:
        raise TemplateNotFound(template.code)
    return chosen


def _check(version: PublishedVersion, asked: Asked) -> bool:
    check_variables(version, asked.body.variables)
    return True


def _recipient(asked: Asked, lookup: Lookup, user: UserRecord | None) -> Recipient:
    """Raises UserNotFound or NoAddress."""
    if asked.direct is not None:
        if lookup.is_suppressed(asked.direct):
            return msgspec.structs.replace(asked.direct, is_suppressed=True)
        return asked.direct
    if user is None:
        raise UserNotFound(asked.body.user_id)
    return user_recipient(asked.body.notification_type, user)


def _policy(lookup: Lookup, recipient: Recipient, category: str) -> PolicyRecord:
    """Not asked for where nothing could have been decided."""
    if recipient.user_id or category:
        return lookup.get_policy()
    return PolicyRecord(organization_id=lookup.organization_id, revision=0)
