"""What a user wants to receive, changed."""

import msgspec
from msgspec import UNSET

from carillon.web.errors import ValidationFailed
from user_service.users.bodies import PreferencesBody
from user_service.users.models import User
from user_service.users.preferences import CATEGORIES_MOST, merge_choices, merge_matrix
from user_service.users.quiet_hours import merge_quiet_hours
from user_service.users.rules import check_preferences
from user_service.users.services.changes import changing_users, lock_user, publish


def update_preferences(organization_id: str, identifier: str, body: PreferencesBody) -> User:
    """The user after the change. Raises MissingFields, ValidationFailed or UserNotFound."""
    body = check_preferences(body)
    with changing_users():
        user = lock_user(organization_id, identifier)
        if body.preferences is not UNSET:
            change = msgspec.to_builtins(body.preferences)
            user.preferences = merge_choices(user.preferences, change)
        if body.categories is not UNSET:
            matrix = merge_matrix(user.categories, msgspec.to_builtins(body.categories))
            if len(matrix) > CATEGORIES_MOST:
                problem = f"{CATEGORIES_MOST} categories at most, with those already there."
                raise ValidationFailed(details={"categories": [problem]})
            user.categories = matrix
        if body.quiet_hours is not UNSET:
            change = None if body.quiet_hours is None else msgspec.to_builtins(body.quiet_hours)
            user.quiet_hours = merge_quiet_hours(user.quiet_hours, change)
        return publish(user, "preferences")
