"""The request body that changes a notification, and its rules."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from carillon.web.errors import ValidationFailed
from gateway.notifications.bodies import METADATA_LIMIT, Time


class ChangeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    content: Annotated[
        dict[str, Any] | UnsetType,
        Meta(
            description="The whole text anew, as when sending inline content. It takes the place "
            "of what a template said."
        ),
    ] = UNSET
    metadata: Annotated[
        dict[str, Any] | UnsetType, Meta(description="Takes the place of what was there.")
    ] = UNSET
    scheduled_at: Annotated[
        Time | UnsetType | None, Meta(description="Not before this time; null: now.")
    ] = UNSET
    expires_at: Annotated[
        Time | UnsetType | None, Meta(description="Not after this time; null: no such time.")
    ] = UNSET


def check_change(body: ChangeBody) -> None:
    """The rule that a type cannot say. Raises ValidationFailed."""
    metadata = body.metadata
    if metadata is not UNSET and len(msgspec.json.encode(metadata)) > METADATA_LIMIT:
        raise ValidationFailed(
            details={"metadata": [f"Expected at most {METADATA_LIMIT} bytes of JSON."]}
        )
