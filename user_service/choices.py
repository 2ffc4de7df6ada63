"""Choices by channel, and by category and channel: what was decided, and how it changes.

Stored is only what somebody decided; the rest is at its default. Changes are merged as in JSON
Merge Patch (RFC 7396): what is not named stays, null goes back to the default.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from carillon.contracts.channels import CHANNELS

Choices = dict[str, bool]
Matrix = dict[str, Choices]

if TYPE_CHECKING:
    ChannelChoices: TypeAlias = msgspec.Struct
else:
    # One field a channel: the table of channels is the schema, and errors name the channel.
    ChannelChoices = msgspec.defstruct(
        "ChannelChoices",
        [(channel, bool | UnsetType | None, UNSET) for channel in CHANNELS],
        frozen=True,
        forbid_unknown_fields=True,
        module=__name__,
    )


def effective(said: Mapping[str, bool], defaults: Mapping[str, bool]) -> Choices:
    """Every channel of the platform: as the user said, else as the organization, else on."""
    return {channel: said.get(channel, defaults.get(channel, True)) for channel in CHANNELS}


def effective_matrix(said: Matrix, defaults: Mapping[str, Mapping[str, bool]]) -> Matrix:
    """Every category that the user or the organization decided on, channel by channel."""
    decided = {code: choices for code, choices in defaults.items() if choices}
    return {code: {**decided.get(code, {}), **said.get(code, {})} for code in {**decided, **said}}


def named_choices(change: ChannelChoices) -> dict[str, bool | None]:
    """The channels that a request names."""
    named: dict[str, bool | None] = msgspec.to_builtins(change)
    return named


def merge_choices(said: Mapping[str, bool], change: Mapping[str, bool | None]) -> Choices:
    """`said` after `change`; None takes a channel back to its default."""
    merged: dict[str, bool | None] = {**said, **change}
    return {channel: choice for channel, choice in merged.items() if choice is not None}


def merge_matrix(said: Matrix, change: Mapping[str, Mapping[str, bool | None] | None]) -> Matrix:
    """`said` after `change`; None takes a whole category back to its defaults."""
    merged = dict(said)
    for category, choices in change.items():
        merged[category] = {} if choices is None else merge_choices(said.get(category, {}), choices)
    return {category: choices for category, choices in merged.items() if choices}
