"""The request body of a replay by filter."""

from typing import Annotated

import msgspec
from msgspec import Meta

from carillon.contracts.channels import CHANNELS
from carillon.errors import Reason
from carillon.web.errors import ValidationFailed
from gateway.notifications.bodies import TEMPLATE_CODE_LENGTH, Time

LIMIT_DEFAULT = 1_000
LIMIT_MOST = 10_000
PER_SECOND_DEFAULT = 50
PER_SECOND_MOST = 1_000


class ReplayBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters, how many and how fast. Without a filter it is all of them."""

    channel: Annotated[
        str, Meta(description="On this channel.", extra_json_schema={"enum": list(CHANNELS)})
    ] = ""
    reason: Annotated[Reason | None, Meta(description="Failed for this reason.")] = None
    template_code: Annotated[
        str, Meta(max_length=TEMPLATE_CODE_LENGTH, description="From this template.")
    ] = ""
    created_after: Annotated[Time | None, Meta(description="Failed from this time on.")] = None
    created_before: Annotated[Time | None, Meta(description="Failed before this time.")] = None
    dry_run: Annotated[bool, Meta(description="Say what would be done, and do nothing.")] = False
    limit: Annotated[
        int, Meta(ge=1, le=LIMIT_MOST, description="How many at most, the oldest first.")
    ] = LIMIT_DEFAULT
    per_second: Annotated[
        int,
        Meta(
            ge=1,
            le=PER_SECOND_MOST,
            description="How many of them become due in a second, behind those of earlier calls.",
        ),
    ] = PER_SECOND_DEFAULT


def check_replay(body: ReplayBody) -> None:
    """The rule that a type cannot say. Raises ValidationFailed."""
    if body.channel and body.channel not in CHANNELS:
        raise ValidationFailed(
            details={"channel": [f"Expected one of {', '.join(CHANNELS)}."]},
        )
