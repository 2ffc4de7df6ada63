"""What a request or a template adds to its words: to an email, a push, a WhatsApp; a fallback."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from carillon.contracts.channels import CHANNELS, AddressKind
from carillon.contracts.messages import (
    Content,
    EmailContent,
    PushContent,
    PushUrgency,
    TextContent,
)
from carillon.contracts.push import CollapseKey, TimeToLive
from carillon.contracts.records import PushDelivery
from carillon.web.addresses import InvalidAddress, normalize_email, normalize_phone_number
from gateway.notifications.email_options import Problem
from gateway.notifications.inline import Link, TemplateBody, is_link

if TYPE_CHECKING:
    from gateway.notifications.bodies import NotificationBody


def _no_device(_to: str) -> str:
    raise InvalidAddress("Expected no device: a push is for a user's devices, or named in `to`.")


_NORMAL: dict[AddressKind, Callable[[str], str]] = {
    AddressKind.EMAIL: normalize_email,
    AddressKind.PHONE: normalize_phone_number,
    AddressKind.DEVICE: _no_device,
}
_NOT_INLINE = "With content, this is part of content."


class PushOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Beyond title and text; what is named takes the place of what the template says."""

    collapse_key: CollapseKey | None = None
    ttl: TimeToLive | None = None
    priority: Annotated[
        PushUrgency | None, Meta(description="high wakes the device; else the lane decides.")
    ] = None
    badge: Annotated[int, Meta(ge=0, le=99_999)] | None = None
    image: Link | None = None
    action_url: Link | None = None
    data: dict[str, str] | None = None

    def added_to(self, content: PushContent) -> PushContent:
        """The content with all that is named; the options have no problems."""
        named = {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not None
        }
        return msgspec.structs.replace(content, **named)


class WhatsAppOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """In place of what our template says."""

    template: Annotated[
        TemplateBody,
        Meta(description="The approved template that is sent, and what fills it."),
    ]


class FallbackOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """In place of the template's fallback."""

    channel: Annotated[
        str,
        Meta(
            description="Another channel than the notification's.",
            extra_json_schema={"enum": list(CHANNELS)},
        ),
    ]
    template_code: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            description="A published template of that channel; it gets the same variables.",
        ),
    ]
    to: Annotated[
        str,
        Meta(
            max_length=320,
            description="Where, for a notification with `to`: an email address or an E.164 number.",
        ),
    ] = ""

    @property
    def address(self) -> str:
        """`to` as it is stored; what the request was accepted with is one."""
        return _NORMAL[CHANNELS[self.channel].address](self.to) if self.to else ""


def problems_of_options(body: "NotificationBody") -> Iterator[Problem]:
    """Each field with what is wrong with it."""
    if body.push is not None:
        if body.notification_type != "push":
            yield "push", "Only a push has these options."
        elif body.content is not None:
            yield "push", _NOT_INLINE
        for name in ("image", "action_url"):
            link = getattr(body.push, name)
            if link and not is_link(link):
                yield f"push.{name}", "Expected an absolute URL."
    if body.whatsapp is not None:
        if body.notification_type != "whatsapp":
            yield "whatsapp", "Only a WhatsApp message has these options."
        elif body.content is not None:
            yield "whatsapp", _NOT_INLINE
    if body.fallback is not None:
        yield from _fallback_problems(body, body.fallback)


def _fallback_problems(body: "NotificationBody", fallback: FallbackOptions) -> Iterator[Problem]:
    if not body.template_code:
        yield "fallback", "Only what a template says has the variables for another one."
    if fallback.channel not in CHANNELS or fallback.channel == body.notification_type:
        yield "fallback.channel", f"Expected another one of {', '.join(CHANNELS)}."
    elif fallback.to and body.to is None:
        yield "fallback.to", "A user's address is the user's own."
    elif fallback.to:
        try:
            _NORMAL[CHANNELS[fallback.channel].address](fallback.to)
        except InvalidAddress as error:
            yield "fallback.to", str(error)


def with_options(content: Content, body: "NotificationBody") -> Content:
    """The content with what the request adds, which fits its channel."""
    if body.email is not None and isinstance(content, EmailContent):
        return body.email.added_to(content)
    if body.push is not None and isinstance(content, PushContent):
        return body.push.added_to(content)
    if body.whatsapp is not None and isinstance(content, TextContent):
        template = body.whatsapp.template.provider_template()
        return msgspec.structs.replace(content, template=template)
    return content


def delivered_as(content: Content, push: PushDelivery) -> Content:
    """A push as its template has it delivered."""
    if not isinstance(content, PushContent):
        return content
    return msgspec.structs.replace(
        content, collapse_key=push.collapse_key, ttl=push.ttl, priority=push.priority
    )
