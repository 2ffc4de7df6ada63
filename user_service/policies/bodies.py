"""Request bodies, and what they must be beyond their types."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from carillon.web.errors import MissingFields, ValidationFailed
from user_service.choices import ChannelChoices
from user_service.policies.categories import CATEGORY, CATEGORY_RULE, FrequencyCap

Name: TypeAlias = Annotated[str, Meta(max_length=100)]
Description: TypeAlias = Annotated[
    str, Meta(max_length=500, description="For the people who choose.")
]
Essential: TypeAlias = Annotated[
    bool, Meta(description="Reaches everybody, whatever they switched off.")
]


class DefaultsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Channels that are on or off unless the user says otherwise."""

    preferences: ChannelChoices


class CategoryChangeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change to a category; what is not named stays."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    essential: Essential | UnsetType = UNSET
    preferences: ChannelChoices | UnsetType = UNSET
    frequency_cap: FrequencyCap | UnsetType | None = UNSET


class CategoryBody(CategoryChangeBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new category."""

    code: Annotated[
        str, Meta(max_length=64, description="What notifications and templates name it by.")
    ]


def check_code(code: str) -> None:
    """Raises ValidationFailed."""
    if not CATEGORY.fullmatch(code):
        raise ValidationFailed(details={"code": [f"A category's code is {CATEGORY_RULE}."]})


def check_change(body: CategoryChangeBody) -> None:
    """Raises MissingFields where nothing is named."""
    if all(getattr(body, field) is UNSET for field in body.__struct_fields__):
        raise MissingFields("Give at least one field to change.")
