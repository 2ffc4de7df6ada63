"""What a checked body changes of a user object; nothing is saved here."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from carillon.contracts.records import PolicyRecord
from carillon.web.errors import ValidationFailed
from user_service.choices import merge_choices, merge_matrix, named_choices
from user_service.policies.categories import CATEGORIES_MOST
from user_service.users.attributes import Unacceptable, check_attributes, merge_object
from user_service.users.bodies import PreferencesBody, UserBody
from user_service.users.models import User
from user_service.users.quiet_hours import merge_quiet_hours

_COLUMNS = ("external_id", "email", "name", "phone_number", "language", "timezone")


def apply_body(user: User, body: UserBody, *, password_hash: str) -> None:
    """All of it, or nothing: raises ValidationFailed before anything is changed."""
    attributes = user.attributes
    if body.attributes is not UNSET:
        attributes = _merged_attributes(user.attributes, body.attributes)
    for column in _COLUMNS:
        value = getattr(body, column)
        if value is not UNSET:
            setattr(user, column, value or "")
    user.attributes = attributes
    if body.password is not UNSET:
        user.password = password_hash
    if body.preferences is not UNSET:
        user.preferences = merge_choices(user.preferences, named_choices(body.preferences))


def apply_preferences(
    user: User, body: PreferencesBody, policy: PolicyRecord, *, bounded: bool = True
) -> None:
    """Raises ValidationFailed where it switches off what is essential, or says too much.

    Not `bounded` is who leaves a category that they were sent to: that is never too much.
    """
    if body.preferences is not UNSET:
        user.preferences = merge_choices(user.preferences, named_choices(body.preferences))
    if body.categories is not UNSET:
        user.categories = _merged_categories(user, body, policy, bounded)
    if body.quiet_hours is not UNSET:
        hours = None if body.quiet_hours is None else msgspec.to_builtins(body.quiet_hours)
        user.quiet_hours = merge_quiet_hours(user.quiet_hours, hours)


def _merged_categories(
    user: User, body: PreferencesBody, policy: PolicyRecord, bounded: bool
) -> dict[str, Any]:
    change = msgspec.to_builtins(body.categories)
    essential = {code for code, category in policy.categories.items() if category.essential}
    problems = [
        f"{code} is essential: it cannot be switched off."
        for code, choices in change.items()
        if code in essential and False in (choices or {}).values()
    ]
    matrix = merge_matrix(user.categories, change)
    if bounded and len(matrix) > CATEGORIES_MOST:
        problems.append(f"{CATEGORIES_MOST} categories at most, with those already there.")
    if problems:
        raise ValidationFailed(details={"categories": problems})
    return matrix


def _merged_attributes(said: Mapping[str, Any], change: Mapping[str, Any] | None) -> dict[str, Any]:
    merged = {} if change is None else merge_object(said, change)
    try:
        check_attributes(merged)
    except Unacceptable as error:
        raise ValidationFailed(details={"attributes": [str(error)]}) from None
    return merged
