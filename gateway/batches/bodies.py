"""The request body of a bulk request, and its rules."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from carillon.contracts.lanes import PRIORITY_DEFAULT, PRIORITY_MAX, PRIORITY_MIN
from carillon.web.bodies import convert_body
from carillon.web.errors import MissingFields, ValidationFailed
from carillon.web.locales import LANGUAGE_LENGTH
from gateway.notifications.bodies import (
    IDENTIFIER_LENGTH,
    REQUEST_ID_LENGTH,
    TEMPLATE_CODE_LENGTH,
    DeviceTarget,
    NotificationBody,
    Time,
    request_id_problem,
)
from gateway.notifications.options import PushOptions, WhatsAppOptions

RECIPIENTS_MOST = 10_000


class RecipientBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One recipient, with what is theirs alone."""

    user_id: Annotated[
        str,
        Meta(
            max_length=IDENTIFIER_LENGTH,
            description="A user's id, or your own external_id. Either this or `to`.",
        ),
    ] = ""
    to: Annotated[
        str | DeviceTarget | None, Meta(description="An address without a user, as for one.")
    ] = None
    variables: Annotated[
        dict[str, Any],
        Meta(description="Theirs; they take the place of shared ones of the same name."),
    ] = {}
    request_id: Annotated[
        str,
        Meta(
            max_length=REQUEST_ID_LENGTH,
            description="Your own id of this notification: it is sent once, in whatever request "
            "it is repeated.",
        ),
    ] = ""


class _Shared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all recipients share, without its rules, which are those of a single notification."""

    notification_type: Annotated[
        str, Meta(description="The channel: email, sms, whatsapp or push.", examples=["email"])
    ]
    template_code: Annotated[
        str,
        Meta(
            max_length=TEMPLATE_CODE_LENGTH,
            description="A published template. Either this or `content`.",
        ),
    ] = ""
    variables: Annotated[
        dict[str, Any], Meta(description="What the template needs, the same for everybody.")
    ] = {}
    language: Annotated[
        str,
        Meta(
            max_length=LANGUAGE_LENGTH,
            description="BCP 47; default: each user's, then the template's.",
        ),
    ] = ""
    content: Annotated[
        dict[str, Any] | None,
        Meta(description="The text itself, the same for everybody, as for one."),
    ] = None
    request_id: Annotated[
        str,
        Meta(
            max_length=REQUEST_ID_LENGTH,
            description="Your own id of the whole request: repeating it never sends twice. "
            "The Idempotency-Key header does the same.",
        ),
    ] = ""
    priority: Annotated[
        int,
        Meta(
            ge=PRIORITY_MIN,
            le=PRIORITY_MAX,
            description="1 to 10. Bulk requests wait behind single ones whatever it is.",
        ),
    ] = PRIORITY_DEFAULT
    category: Annotated[
        str, Meta(description="Users may switch categories off; default: the template's.")
    ] = ""
    scheduled_at: Annotated[Time | None, Meta(description="Not before this time.")] = None
    expires_at: Annotated[Time | None, Meta(description="Not after this time.")] = None
    push: Annotated[
        PushOptions | None, Meta(description="For a push of a template, as for one.")
    ] = None
    whatsapp: Annotated[
        WhatsAppOptions | None,
        Meta(description="For a WhatsApp message of a template, as for one."),
    ] = None
    metadata: Annotated[
        dict[str, Any],
        Meta(description="Yours, at most 4 KB of JSON; every notification gets it."),
    ] = {}


class BulkBody(_Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message to many recipients on one channel."""

    recipients: Annotated[
        list[RecipientBody],
        Meta(
            min_length=1,
            max_length=RECIPIENTS_MOST,
            description="Whom to send it to. What is wrong with one does not stop the others.",
        ),
    ]


class _Unread(_Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body while its recipients are not looked at."""

    recipients: Annotated[list[Any], Meta(min_length=1, max_length=RECIPIENTS_MOST)]


def read_bulk(value: dict[str, Any]) -> tuple[NotificationBody, list[Any]]:
    """What all share, as the body of a single notification to nobody; and the raw recipients.

    Raises MissingFields or ValidationFailed for what is wrong with the request as a whole, but
    for the rules of a single notification.
    """
    _check_complete(value)
    body = convert_body(value, _Unread)
    shared = NotificationBody(
        notification_type=body.notification_type,
        template_code=body.template_code,
        variables=body.variables,
        language=body.language,
        content=body.content,
        request_id=body.request_id,
        priority=body.priority,
        category=body.category,
        scheduled_at=body.scheduled_at,
        expires_at=body.expires_at,
        metadata=body.metadata,
        push=body.push,
        whatsapp=body.whatsapp,
    )
    return shared, body.recipients


def read_recipient(value: Any, shared: NotificationBody) -> NotificationBody:
    """One recipient's notification. Raises MissingFields or ValidationFailed."""
    if not isinstance(value, dict):
        raise ValidationFailed(details={"recipients": ["Expected an object."]})
    try:
        own = msgspec.convert(value, RecipientBody)
    except msgspec.ValidationError:
        # Slower, and says which fields are wrong and why.
        own = convert_body(value, RecipientBody)
    if not own.user_id and own.to is None:
        raise MissingFields(details={"user_id": ["Send user_id, or an address in `to`."]})
    if own.user_id and own.to is not None:
        raise ValidationFailed(details={"to": ["Send either user_id or `to`."]})
    if own.variables and shared.content is not None:
        raise ValidationFailed(
            details={"variables": ["Variables are a template's; content is sent as it is."]}
        )
    problem = request_id_problem(own.request_id)
    if problem:
        raise ValidationFailed(details={"request_id": [problem]})
    return msgspec.structs.replace(
        shared,
        user_id=own.user_id,
        to=own.to,
        variables={**shared.variables, **own.variables} if own.variables else shared.variables,
        request_id=own.request_id,
    )


def _check_complete(value: Mapping[str, Any]) -> None:
    """All that is missing, at once. Raises MissingFields."""
    missing = {
        name: ["This field is required."]
        for name in ("notification_type", "recipients")
        if name not in value
    }
    if not value.get("template_code") and value.get("content") is None:
        missing["template_code"] = ["Send template_code, or the text itself in `content`."]
    if missing:
        raise MissingFields(f"Missing: {', '.join(missing)}.", details=missing)
