"""The request body."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from carillon.web.locales import LANGUAGE_LENGTH
from gateway.notifications.bodies import DeviceTarget


class TemplateTestBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to send which version, with which data."""

    to: Annotated[
        str | DeviceTarget,
        Meta(
            description="An email address, an E.164 number, or a device token "
            "(or {token, platform}), as the template's channel has it."
        ),
    ]
    data: (
        Annotated[
            dict[str, Any],
            Meta(description="The variables; left out, the template's sample_data is taken."),
        ]
        | UnsetType
    ) = UNSET
    version: (
        Annotated[int, Meta(ge=1, le=2**31 - 1, description="Any version, drafts included.")]
        | UnsetType
    ) = UNSET
    language: (
        Annotated[
            str,
            Meta(max_length=LANGUAGE_LENGTH, description="The reader's (BCP 47).", examples=["pt"]),
        ]
        | UnsetType
    ) = UNSET
    timezone: (
        Annotated[
            str,
            Meta(
                max_length=64,
                description="The reader's clock (IANA).",
                examples=["Europe/London"],
            ),
        ]
        | UnsetType
    ) = UNSET
