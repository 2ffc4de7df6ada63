"""Inline content: the text itself in the request, checked and sent as it is."""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.contracts.messages import (
    Content,
    EmailContent,
    ProviderTemplate,
    PushContent,
    PushUrgency,
    TextContent,
)
from carillon.contracts.push import CollapseKey, TimeToLive
from carillon.contracts.whatsapp import (
    MOST_BUTTONS,
    MOST_PARAMETERS,
    VALUE_LENGTH,
    Language,
    Name,
    Namespace,
    Position,
)
from carillon.rendering import InvalidSubject, check_subject
from carillon.rendering.limits import OUTPUT, PUSH_BYTES_MOST
from carillon.web.bodies import convert_body
from carillon.web.errors import MissingFields, ValidationFailed

_EMAIL = OUTPUT["email"]
_PUSH = OUTPUT["push"]
_LONGEST_TEXT = max(OUTPUT["sms"].content, OUTPUT["whatsapp"].content)
LINK_LENGTH = 2_000

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):[^\s]+")
_RUNS_CODE = frozenset({"javascript", "data", "vbscript"})

_Value = Annotated[str, Meta(min_length=1, max_length=VALUE_LENGTH)]
Link = Annotated[str, Meta(max_length=LINK_LENGTH)]


class EmailBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An email: a subject and at least one of the two bodies."""

    subject: Annotated[str, Meta(min_length=1, max_length=_EMAIL.subject)]
    body: Annotated[str, Meta(max_length=_EMAIL.content)] = ""
    html: Annotated[str, Meta(max_length=_EMAIL.html)] = ""


class TextBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An SMS."""

    body: Annotated[str, Meta(min_length=1, max_length=_LONGEST_TEXT)]


class TemplateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template that is approved at the provider: its name or id there, and what fills it."""

    name: Name
    language: Language = ""
    namespace: Namespace = ""
    parameters: Annotated[list[_Value], Meta(max_length=MOST_PARAMETERS)] = []
    header: Annotated[list[_Value], Meta(max_length=1)] = []
    buttons: Annotated[dict[Position, _Value], Meta(max_length=MOST_BUTTONS)] = {}

    def provider_template(self) -> ProviderTemplate:
        """As it travels."""
        return msgspec.convert(self, ProviderTemplate, from_attributes=True)


class WhatsAppBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A WhatsApp message: a text, or a template of the provider."""

    body: Annotated[str, Meta(max_length=_LONGEST_TEXT)] = ""
    template: TemplateBody | None = None


class PushBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A push notification."""

    title: Annotated[str, Meta(min_length=1, max_length=_PUSH.subject)]
    body: Annotated[str, Meta(max_length=_PUSH.content)] = ""
    image: Link = ""
    data: dict[str, str] = {}
    action_url: Link = ""
    badge: Annotated[int, Meta(ge=0, le=99_999)] | None = None
    collapse_key: CollapseKey = ""
    ttl: TimeToLive | None = None
    priority: PushUrgency | None = None


def inline_content(channel: str, value: dict[str, Any]) -> Content:
    """The content that `value` is for `channel`. Raises MissingFields or ValidationFailed."""
    kind = CHANNELS[channel].content
    if kind is ContentKind.EMAIL:
        email = _converted(value, EmailBody)
        try:
            check_subject(email.subject)
        except InvalidSubject as error:
            raise _wrong("content.subject", error.message) from None
        if not email.body and not email.html:
            raise _wrong("content.body", "Send body, html or both.")
        return EmailContent(subject=email.subject, body=email.body, html=email.html)
    if kind is ContentKind.TEXT:
        text, template = _text(channel, value)
        most = OUTPUT[channel].content
        if len(text) > most:
            raise _wrong("content.body", f"Expected at most {most} characters.")
        return TextContent(body=text, template=template)
    push = _converted(value, PushBody)
    for name, link in (("image", push.image), ("action_url", push.action_url)):
        if link and not is_link(link):
            raise _wrong(f"content.{name}", "Expected an absolute URL.")
    if len((push.title + push.body).encode()) > PUSH_BYTES_MOST:
        raise _wrong("content.body", f"Title and body may have {PUSH_BYTES_MOST} bytes together.")
    return PushContent(
        title=push.title,
        body=push.body,
        image=push.image,
        data=push.data,
        action_url=push.action_url,
        badge=push.badge,
        collapse_key=push.collapse_key,
        ttl=push.ttl,
        priority=push.priority,
    )


def _text(channel: str, value: dict[str, Any]) -> tuple[str, ProviderTemplate | None]:
    """Only WhatsApp has templates. Raises MissingFields or ValidationFailed."""
    if channel != "whatsapp":
        return _converted(value, TextBody).body, None
    message = _converted(value, WhatsAppBody)
    asked = message.template
    if bool(message.body) == (asked is not None):
        raise _wrong("content.body", "Send either body or template.")
    if asked is None:
        return message.body, None
    return "", asked.provider_template()


def is_link(text: str) -> bool:
    """Whether it is an absolute URL that runs nothing."""
    found = _SCHEME.fullmatch(text)
    return found is not None and found.group(1).lower() not in _RUNS_CODE


_Body = TypeVar("_Body", EmailBody, TextBody, WhatsAppBody, PushBody)


def _converted(value: dict[str, Any], shape: type[_Body]) -> _Body:
    try:
        return convert_body(value, shape)
    except (MissingFields, ValidationFailed) as error:
        details = {f"content.{name}": told for name, told in (error.details or {}).items()}
        raise type(error)(str(error), details=details) from None


def _wrong(field: str, problem: str) -> ValidationFailed:
    return ValidationFailed(details={field: [problem]})
