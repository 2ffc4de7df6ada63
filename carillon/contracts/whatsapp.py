"""What the providers' approved templates are named by, wherever one is named."""

from typing import Annotated, TypeAlias

from msgspec import Meta

VALUE_LENGTH = 1_024
MOST_PARAMETERS = 50
MOST_BUTTONS = 10

Name: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=512,
        pattern=r"^[A-Za-z0-9_.-]+$",
        description="The provider's name of it; at Twilio the ContentSid.",
        examples=["order_sent"],
    ),
]
Language: TypeAlias = Annotated[
    str,
    Meta(
        max_length=15,
        pattern=r"^([A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*)?$",
        description="The provider's code of it.",
        examples=["en_US"],
    ),
]
Namespace: TypeAlias = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
Position: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]$")]
