"""Renders a template as its preview does, and sends that as it would be sent."""

from typing import Any

import msgspec

from carillon.contracts.actors import HEADER as ACTOR_HEADER
from carillon.contracts.actors import Actor, write_actor
from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.contracts.messages import (
    Content,
    EmailContent,
    ProviderTemplate,
    PushContent,
    TextContent,
)
from carillon.web.errors import ApiError
from gateway.forwarding import client
from gateway.notifications.acceptance import accept_notification
from gateway.notifications.asked import Accepted, Asked
from gateway.notifications.bodies import NotificationBody
from gateway.notifications.lookup import look_up
from gateway.notifications.recipients import direct_recipient
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.synchronization import TEMPLATE_SERVICE
from gateway.template_tests.bodies import TemplateTestBody

# What of the body is the preview's.
_PREVIEWED = ("data", "version", "language", "timezone")


class Rendered(msgspec.Struct, frozen=True):
    """A preview, as far as it is sent."""

    type: str
    category: str
    subject: str
    content: str
    html_content: str
    version: int
    language: str
    provider_template: ProviderTemplate | None = None


class _Answer(msgspec.Struct, frozen=True):
    data: Rendered


class _Refusal(msgspec.Struct, frozen=True):
    error: str
    message: str
    details: dict[str, Any] = {}


def render(caller: KeyRecord, code: str, body: TemplateTestBody) -> Rendered:
    """Raises what a preview answers, and TemplateServiceUnavailable."""
    asked = {name: getattr(body, name) for name in _PREVIEWED}
    answer = client.forward(
        TEMPLATE_SERVICE,
        client.Forwarded(
            method="POST",
            path=client.fill("api/v1/templates/<str:code>/preview/", {"code": code}),
            organization_id=caller.organization_id,
            query="",
            body=msgspec.json.encode({k: v for k, v in asked.items() if v is not msgspec.UNSET}),
            headers={ACTOR_HEADER: write_actor(Actor(caller.key_id, caller.name))},
        ),
    )
    try:
        if answer.status == 200:
            return msgspec.json.decode(answer.body, type=_Answer).data
        refusal = msgspec.json.decode(answer.body, type=_Refusal)
    except msgspec.MsgspecError:
        raise client.unavailable(TEMPLATE_SERVICE) from None
    error = ApiError(refusal.message, details=refusal.details or None)
    error.status, error.code = answer.status, refusal.error
    raise error


def send_test(
    caller: KeyRecord,
    code: str,
    body: TemplateTestBody,
    rendered: Rendered,
    *,
    correlation_id: str,
    traceparent: str,
) -> Accepted:
    """Through all that any notification goes through. Raises as `accept_notification`.

    Its `metadata` says which version it shows; its category is the template's, for its lane.
    """
    shown = NotificationBody(
        notification_type=rendered.type,
        to=body.to,
        content={"body": rendered.content},
        category=rendered.category,
        metadata={
            "template_test": True,
            "template_code": code,
            "template_version": rendered.version,
            "template_language": rendered.language,
        },
    )
    asked = Asked(
        caller=caller,
        body=shown,
        direct=direct_recipient(rendered.type, body.to),
        inline=_content(rendered),
        request_id="",
        correlation_id=correlation_id,
        traceparent=traceparent,
    )
    return accept_notification(asked, look_up(asked.wanted, ()))


def _content(rendered: Rendered) -> Content:
    match CHANNELS[rendered.type].content:
        case ContentKind.EMAIL:
            return EmailContent(rendered.subject, rendered.content, rendered.html_content)
        case ContentKind.PUSH:
            return PushContent(title=rendered.subject, body=rendered.content)
        case ContentKind.TEXT:
            return TextContent(rendered.content, rendered.provider_template)
