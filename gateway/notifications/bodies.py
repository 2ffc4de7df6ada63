"""Request bodies of the notifications API, and their rules."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from carillon.contracts.channels import CHANNELS
from carillon.contracts.lanes import PRIORITY_DEFAULT, PRIORITY_MAX, PRIORITY_MIN
from carillon.web.errors import MissingFields, ValidationFailed
from carillon.web.locales import LANGUAGE_LENGTH, InvalidLocale, normalize_language
from gateway.notifications.email_options import EmailOptions, problems_of
from gateway.notifications.options import (
    FallbackOptions,
    PushOptions,
    WhatsAppOptions,
    problems_of_options,
)

METADATA_LIMIT = 4_096
REQUEST_ID_LENGTH = 128
IDENTIFIER_LENGTH = 128
TEMPLATE_CODE_LENGTH = 100
TOKEN_LENGTH = 4_096

_CATEGORY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

Time = Annotated[
    datetime,
    Meta(tz=True, description="ISO 8601 with an offset.", examples=["2030-01-31T09:00:00+01:00"]),
]


class DeviceTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device to push to without a user."""

    token: Annotated[str, Meta(min_length=1, max_length=TOKEN_LENGTH)]
    platform: Literal["fcm", "apns", "webpush"] = "fcm"


class NotificationBody(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One notification to one recipient on one channel."""

    notification_type: Annotated[
        str, Meta(description="The channel: email, sms, whatsapp or push.", examples=["email"])
    ]
    user_id: Annotated[
        str,
        Meta(
            max_length=IDENTIFIER_LENGTH,
            description="A user's id, or your own external_id. Either this or `to`.",
        ),
    ] = ""
    to: Annotated[
        str | DeviceTarget | None,
        Meta(
            description="An address without a user: an email address, an E.164 number, a device "
            "token (or {token, platform})."
        ),
    ] = None
    template_code: Annotated[
        str,
        Meta(
            max_length=TEMPLATE_CODE_LENGTH,
            description="A published template. Either this or `content`.",
        ),
    ] = ""
    variables: Annotated[dict[str, Any], Meta(description="What the template needs.")] = {}
    language: Annotated[
        str,
        Meta(
            max_length=LANGUAGE_LENGTH,
            description="BCP 47; default: the user's, then the template's.",
        ),
    ] = ""
    content: Annotated[
        dict[str, Any] | None,
        Meta(
            description="The text itself, sent as it is: email {subject, body, html}; sms and "
            "whatsapp {body}; whatsapp also {template: {name, language, parameters, header, "
            "buttons}}, a template approved at the provider; push {title, body, image, data, "
            "action_url, badge, collapse_key, ttl, priority}."
        ),
    ] = None
    request_id: Annotated[
        str,
        Meta(
            max_length=REQUEST_ID_LENGTH,
            description="Your own id of this request: repeating it never sends twice. "
            "The Idempotency-Key header does the same.",
        ),
    ] = ""
    priority: Annotated[
        int, Meta(ge=PRIORITY_MIN, le=PRIORITY_MAX, description="1 to 10; from 8 on urgent.")
    ] = PRIORITY_DEFAULT
    category: Annotated[
        str,
        Meta(description="Users may switch categories off; default: the template's."),
    ] = ""
    scheduled_at: Annotated[Time | None, Meta(description="Not before this time.")] = None
    expires_at: Annotated[Time | None, Meta(description="Not after this time.")] = None
    email: Annotated[
        EmailOptions | None,
        Meta(description="For an email: where answers go, headers, and files."),
    ] = None
    push: Annotated[
        PushOptions | None,
        Meta(description="For a push of a template: how it is delivered, and what it carries."),
    ] = None
    whatsapp: Annotated[
        WhatsAppOptions | None,
        Meta(description="For a WhatsApp message of a template: another template of the provider."),
    ] = None
    fallback: Annotated[
        FallbackOptions | None,
        Meta(
            description="What is sent once, on another channel, where this does not arrive; "
            "default: the template's."
        ),
    ] = None
    metadata: Annotated[
        dict[str, Any], Meta(description="Yours, at most 4 KB of JSON; given back as it is.")
    ] = {}
    dry_run: Annotated[
        bool,
        Meta(
            description="Only say what would become of it: nothing is stored, sent or counted, "
            "and request_id has no meaning."
        ),
    ] = False

    @property
    def adds_to_content(self) -> bool:
        """Whether there is more than the words."""
        return self.email is not None or self.push is not None or self.whatsapp is not None


class StatusBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which notification's status is asked for."""

    notification_id: Annotated[str, Meta(examples=["notif_0193f2c6a7b87d1e9c0a5b4d3e2f1a00"])]


def check_complete(value: Mapping[str, Any]) -> None:
    """All that is missing of a body, at once. Raises MissingFields."""
    missing = {}
    if "notification_type" not in value:
        missing["notification_type"] = ["This field is required."]
    if not value.get("user_id") and value.get("to") is None:
        missing["user_id"] = ["Send user_id, or an address in `to`."]
    if not value.get("template_code") and value.get("content") is None:
        missing["template_code"] = ["Send template_code, or the text itself in `content`."]
    if missing:
        raise MissingFields(f"Missing: {', '.join(missing)}.", details=missing)


def check_notification(body: NotificationBody) -> None:
    """The rules that a type cannot say. Raises ValidationFailed.

    None of them depends on the time: a repeat of what was once accepted must stay valid.
    """
    wrong = {name: [problem] for name, problem in _problems(body) if problem}
    if body.email is not None:
        found = problems_of(body.email, body.notification_type)
        wrong |= {name: [problem] for name, problem in found}
    if body.push is not None or body.whatsapp is not None or body.fallback is not None:
        wrong |= {name: [problem] for name, problem in problems_of_options(body)}
    if wrong:
        raise ValidationFailed(details=wrong)


def _problems(body: NotificationBody) -> list[tuple[str, str]]:
    return [
        ("notification_type", _type_problem(body.notification_type)),
        ("to", "Send either user_id or `to`." if body.user_id and body.to is not None else ""),
        (
            "content",
            "Send either template_code or content."
            if body.template_code and body.content is not None
            else "",
        ),
        (
            "variables",
            "Variables are a template's; content is sent as it is."
            if body.variables and body.content is not None
            else "",
        ),
        ("language", _language_problem(body.language)),
        ("request_id", request_id_problem(body.request_id)),
        ("category", _category_problem(body.category)),
        ("metadata", _metadata_problem(body.metadata)),
    ]


def request_id_problem(request_id: str) -> str:
    """What is wrong with a request_id or Idempotency-Key; empty if nothing is."""
    if len(request_id) > REQUEST_ID_LENGTH or not request_id.isprintable():
        return f"Expected up to {REQUEST_ID_LENGTH} printable characters."
    return ""


def _type_problem(name: str) -> str:
    return "" if name in CHANNELS else f"Expected one of {', '.join(CHANNELS)}."


def _language_problem(tag: str) -> str:
    if not tag:
        return ""
    try:
        normalize_language(tag)
    except InvalidLocale as error:
        return str(error)
    return ""


def _category_problem(category: str) -> str:
    if not category or _CATEGORY.fullmatch(category):
        return ""
    return "Expected 1 to 64 lower-case letters, digits, _ and -."


def _metadata_problem(metadata: dict[str, Any]) -> str:
    if not metadata or len(msgspec.json.encode(metadata)) <= METADATA_LIMIT:
        return ""
    return f"Expected at most {METADATA_LIMIT} bytes of JSON."
