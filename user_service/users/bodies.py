"""Request bodies. An absent field stays as it is; null takes it back to "not known"."""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from user_service.choices import ChannelChoices
from user_service.users.models import NAME_LENGTH
from user_service.users.quiet_hours import WEEKDAYS
from user_service.users.tokens import Platform

BATCH_MOST = 1_000
TOKEN_LENGTH = 4_096
IDENTIFIER_LENGTH = 128


class WindowBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `start` (inside) to `end` (outside), on the clock of the user's time zone."""

    start: Annotated[str, Meta(examples=["22:00"], max_length=5)]
    end: Annotated[str, Meta(examples=["07:00"], max_length=5)]


if TYPE_CHECKING:
    WeekdayWindows: TypeAlias = msgspec.Struct
else:
    WeekdayWindows = msgspec.defstruct(
        "WeekdayWindows",
        [(day, list[WindowBody] | UnsetType | None, UNSET) for day in WEEKDAYS],
        frozen=True,
        forbid_unknown_fields=True,
        module=__name__,
    )


Email: TypeAlias = Annotated[str, Meta(max_length=320, examples=["jane@example.com"])]
Name: TypeAlias = Annotated[str, Meta(max_length=NAME_LENGTH)]
Password: TypeAlias = Annotated[
    str, Meta(min_length=8, max_length=128, description="Kept as a salted hash; never shown.")
]
ExternalID: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=IDENTIFIER_LENGTH,
        description="Your own id; usable wherever a user id is.",
    ),
]
PhoneNumber: TypeAlias = Annotated[
    str, Meta(max_length=40, description="E.164.", examples=["+447700900003"])
]
PushToken: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=TOKEN_LENGTH,
        description="Shorthand for one device of platform fcm.",
    ),
]
Language: TypeAlias = Annotated[str, Meta(max_length=40, description="BCP 47.", examples=["en-GB"])]
Timezone: TypeAlias = Annotated[
    str, Meta(max_length=64, description="IANA.", examples=["Europe/London"])
]
Attributes: TypeAlias = Annotated[
    dict[str, Any], Meta(description="Template variables below `user.`; a null removes a key.")
]


class UserBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new user, or a change to one."""

    email: Email | UnsetType | None = UNSET
    name: Name | UnsetType | None = UNSET
    password: Password | UnsetType | None = UNSET
    external_id: ExternalID | UnsetType | None = UNSET
    phone_number: PhoneNumber | UnsetType | None = UNSET
    push_token: PushToken | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    timezone: Timezone | UnsetType | None = UNSET
    attributes: Attributes | UnsetType | None = UNSET
    preferences: ChannelChoices | UnsetType = UNSET


class PreferencesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change to what a user wants to receive; what is not named stays."""

    preferences: ChannelChoices | UnsetType = UNSET
    categories: dict[str, ChannelChoices | None] | UnsetType = UNSET
    quiet_hours: WeekdayWindows | UnsetType | None = UNSET


class ImportedUserBody(UserBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of an import."""

    categories: dict[str, ChannelChoices | None] | UnsetType = UNSET
    quiet_hours: WeekdayWindows | UnsetType | None = UNSET


class DeviceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device to register."""

    platform: Platform
    token: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=TOKEN_LENGTH,
            description="What the push service gave the app; for webpush the subscription's JSON.",
        ),
    ]


class BatchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Users to fetch at once."""

    user_ids: Annotated[
        list[Annotated[str, Meta(max_length=IDENTIFIER_LENGTH)]],
        Meta(min_length=1, max_length=BATCH_MOST, description="User ids and external ids."),
    ]
