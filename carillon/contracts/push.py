"""How long a push is kept and what takes its place: bounds that hold for every push service."""

from typing import Annotated, TypeAlias

from msgspec import Meta

# FCM's longest, four weeks (AndroidConfig.ttl); Apple and web push keep a message for 30 days.
LONGEST_TTL = 2_419_200
# Bytes of an apns-collapse-id. Web push has room for 32 characters: a longer key is digested.
COLLAPSE_KEY_LENGTH = 64

CollapseKey: TypeAlias = Annotated[
    str,
    Meta(
        max_length=COLLAPSE_KEY_LENGTH,
        description="A later push with the same key takes the place of one that is still shown or "
        "waiting.",
    ),
]
TimeToLive: TypeAlias = Annotated[
    int,
    Meta(
        ge=0,
        le=LONGEST_TTL,
        description="Seconds for which the push service keeps trying a device that is away; 0 is "
        "now or never.",
    ),
]
