"""Request bodies about keys."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from carillon.contracts.messages import Mode
from gateway.organizations.models import Scope


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
