"""Request bodies about provider accounts."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from carillon.contracts.verification import CODE_LENGTH, MESSAGE_LENGTH, VerificationStatus

CREDENTIAL_LENGTH = 10_000
SENDER_LENGTH = 600

_Name = Annotated[str, Meta(min_length=1, max_length=100, description="For people.")]
_Sender = Annotated[
    str,
    Meta(
        max_length=SENDER_LENGTH,
        description="From whom: an address, a number, a sender id, an app; as the provider asks.",
    ),
]
_Credentials = Annotated[
    dict[
        Annotated[str, Meta(max_length=50)],
        Annotated[str, Meta(max_length=CREDENTIAL_LENGTH)],
    ],
    Meta(
        min_length=1,
        max_length=10,
        description="What the provider asks for (docs/provider-accounts.md). Never shown again.",
    ),
]
_Position = Annotated[
    int, Meta(ge=0, le=1_000, description="Accounts with a lower one are tried first.")
]
_Weight = Annotated[
    int, Meta(ge=1, le=1_000, description="Its share among accounts of the same position.")
]
_Rate = Annotated[
    Annotated[float, Meta(ge=0, le=100_000)] | None,
    Meta(description="Messages a second; null: what the provider declares, 0: no limit."),
]
_Active = Annotated[bool, Meta(description="Whether messages are sent through it.")]


class ProviderAccountBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account to keep."""

    channel: Annotated[str, Meta(max_length=20, description="email, sms, whatsapp or push.")]
    provider: Annotated[str, Meta(max_length=30, description="One that the channel has.")]
    name: _Name
    credentials: _Credentials
    sender: _Sender = ""
    position: _Position = 0
    weight: _Weight = 1
    rate_per_second: _Rate = None
    is_active: _Active = True

    def __repr__(self) -> str:
        """Never the credentials."""
        return f"ProviderAccountBody({self.channel}, {self.provider})"


class ProviderAccountChanges(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What changes; `credentials` take the place of all of the old ones."""

    name: _Name | UnsetType = UNSET
    credentials: _Credentials | UnsetType = UNSET
    sender: _Sender | UnsetType = UNSET
    position: _Position | UnsetType = UNSET
    weight: _Weight | UnsetType = UNSET
    rate_per_second: _Rate | UnsetType = UNSET
    is_active: _Active | UnsetType = UNSET

    def __repr__(self) -> str:
        """Never the credentials."""
        return "ProviderAccountChanges()"


class VerificationResultBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker found, as `carillon.contracts.verification.VerificationResult` has it."""

    status: VerificationStatus
    message: Annotated[str, Meta(max_length=MESSAGE_LENGTH)]
    reason: Annotated[str, Meta(max_length=40)] = ""
    code: Annotated[str, Meta(max_length=CODE_LENGTH)] = ""
