"""What the API shows of a policy."""

import msgspec

from carillon.contracts.records import PolicyRecord
from user_service.choices import Choices, effective
from user_service.policies.categories import Category, FrequencyCap, built_in


class DefaultsShape(msgspec.Struct, frozen=True):
    """Every channel: on or off unless the user says otherwise."""

    preferences: Choices


class CategoryShape(msgspec.Struct, frozen=True, kw_only=True):
    """A category; `preferences` has the channels that were decided on, the others are on."""

    code: str
    name: str
    description: str
    essential: bool
    preferences: Choices
    frequency_cap: FrequencyCap | None
    built_in: bool


class DeletedCategoryShape(msgspec.Struct, frozen=True):
    """Which category was deleted."""

    code: str


def show_defaults(policy: PolicyRecord) -> DefaultsShape:
    """What is in force."""
    return DefaultsShape(effective({}, policy.preferences))


def show_category(code: str, category: Category) -> CategoryShape:
    """What is in force."""
    return CategoryShape(
        code=code,
        name=category.name,
        description=category.description,
        essential=category.essential,
        preferences=category.preferences,
        frequency_cap=category.frequency_cap,
        built_in=code in built_in(),
    )
