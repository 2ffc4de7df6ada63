"""Request bodies about organizations and their keys."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import Mode
from gateway.organizations.models import Scope

# Long enough for a deployment that takes weeks, too short to forget that two keys work.
OVERLAP_MOST = 30 * 86_400


class APIKeyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make."""

    name: Annotated[str, Meta(min_length=1, max_length=100, description="For people.")]
    mode: Annotated[Mode, Meta(description="A test key delivers to the sandbox only.")] = Mode.LIVE
    scopes: Annotated[
        tuple[Scope, ...],
        Meta(min_length=1, max_length=10, description="What it may do; admin includes the rest."),
    ] = (Scope.SEND, Scope.READ)
    expires_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(description="ISO 8601 with an offset; default: never."),
    ] = None


class OrganizationChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organization decides of itself."""

    platform_stand_ins: Annotated[
        list[str],
        Meta(
            max_length=len(CHANNELS),
            description="All channels on which the platform's providers come after its own "
            "provider accounts, where every one of these fails; [] for none.",
            examples=[["email", "sms"]],
            extra_json_schema={"items": {"type": "string", "enum": list(CHANNELS)}},
        ),
    ]


class RotateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the old key goes on working beside the new one."""

    overlap_seconds: Annotated[
        Annotated[int, Meta(ge=0, le=OVERLAP_MOST)] | None,
        Meta(description="0: the old key fails at once. Default: a day, where nobody changed it."),
    ] = None


class RegistrationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organization that signs itself up."""

    name: Annotated[str, Meta(min_length=1, max_length=200, description="What people call it.")]
    email: Annotated[str, Meta(min_length=3, max_length=254, description="Where to reach it.")]
