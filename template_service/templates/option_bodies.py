"""What a template decides beside its words, as far as that is more than one value."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import ProviderTemplate, PushUrgency
from carillon.contracts.push import CollapseKey, TimeToLive
from carillon.contracts.records import FallbackRule, PushDelivery
from carillon.contracts.whatsapp import (
    MOST_BUTTONS,
    MOST_PARAMETERS,
    VALUE_LENGTH,
    Language,
    Name,
    Namespace,
    Position,
)
from template_service.templates.models import CODE_LENGTH

# A value is a text of our language: what is rendered of it may have VALUE_LENGTH characters.
_Source = Annotated[str, Meta(min_length=1, max_length=4 * VALUE_LENGTH)]


class FallbackBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The template of another channel that is sent once where this one did not arrive."""

    channel: Annotated[
        str,
        Meta(
            max_length=16,
            description="That template's channel, another than this one's.",
            extra_json_schema={"enum": list(CHANNELS)},
        ),
    ]
    template_code: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=CODE_LENGTH,
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\Z",
            description="It gets the variables of the send, so it may require no others.",
            examples=["login_otp_sms"],
        ),
    ]


class PushBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a push of this template is delivered, unless its request says otherwise."""

    collapse_key: CollapseKey = ""
    ttl: TimeToLive | None = None
    priority: Annotated[
        PushUrgency | None,
        Meta(description="high wakes the device; without it the lane decides."),
    ] = None


class ProviderTemplateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A template that WhatsApp approved, and what fills it: each value a text with variables."""

    name: Name
    language: Language = ""
    namespace: Namespace = ""
    parameters: Annotated[
        list[_Source],
        Meta(
            max_length=MOST_PARAMETERS,
            description="Of its body, in order.",
            examples=[["{{ name }}", '{{ total|currency("EUR") }}']],
        ),
    ] = []
    header: Annotated[list[_Source], Meta(max_length=1)] = []
    buttons: Annotated[
        dict[Position, _Source],
        Meta(max_length=MOST_BUTTONS, description="Ends of its URL buttons, by position from 0."),
    ] = {}


Fallback: TypeAlias = Annotated[
    FallbackBody | None,
    Meta(
        description="What is sent once, on another channel, where no receipt came within "
        "expect_receipt_within, or where this one failed for good."
    ),
]
Push: TypeAlias = Annotated[PushBody | None, Meta(description="Of a push alone.")]
WhatsApp: TypeAlias = Annotated[
    ProviderTemplateBody | None,
    Meta(
        description="Of WhatsApp alone: the approved template that is sent. `content` is then only "
        "for people to read, and may be empty."
    ),
]


_KEPT: dict[type, type[msgspec.Struct]] = {
    FallbackBody: FallbackRule,
    PushBody: PushDelivery,
    ProviderTemplateBody: ProviderTemplate,
}


def kept(value: object) -> object:
    """A field of a body as its column has it: an object as its contract writes it."""
    shape = _KEPT.get(type(value))
    if shape is None:
        return value
    return msgspec.to_builtins(msgspec.convert(value, shape, from_attributes=True))
