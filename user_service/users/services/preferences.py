"""What a user wants to receive, changed."""

from user_service.policies.selectors import policy_of
from user_service.users.bodies import PreferencesBody
from user_service.users.history import Said, Source
from user_service.users.models import User
from user_service.users.rules import check_preferences
from user_service.users.services.applying import apply_preferences
from user_service.users.services.changes import changing_users, lock_user, publish
from user_service.users.services.history import remember


def update_preferences(
    organization_id: str, identifier: str, body: PreferencesBody, *, source: Source = Source.API
) -> User:
    """The user after the change. Raises MissingFields, ValidationFailed or UserNotFound."""
    body = check_preferences(body)
    with changing_users():
        user = lock_user(organization_id, identifier)
        said = Said.by(user)
        bounded = source is not Source.UNSUBSCRIBE_LINK
        apply_preferences(user, body, policy_of(organization_id), bounded=bounded)
        remember(said, user, source)
        return publish(user, "preferences")
