"""What a user wants to receive: by channel, and by category and channel.

Stored is only what the user said; the rest is at its default. Changes are merged as in JSON
Merge Patch (RFC 7396): what is not named stays, null goes back to the default.
"""

import re
from collections.abc import Mapping
from typing import Any

from carillon.contracts.channels import CHANNELS

Choices = dict[str, bool]
Matrix = dict[str, Choices]

CATEGORIES_MOST = 100
CATEGORY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
CATEGORY_RULE = "lower-case letters, digits, _ and -, 1 to 64 of them, the first no _ or -"


def effective(said: Mapping[str, bool]) -> Choices:
    """Every channel of the platform: as the user said, else on."""
    return {channel: said.get(channel, True) for channel in CHANNELS}


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


def merge_object(said: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The top level of `said` after `change`; None removes a key."""
    merged = {**said, **change}
    return {key: value for key, value in merged.items() if value is not None}
