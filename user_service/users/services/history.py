"""Remembers changes of preferences."""

from user_service.users.history import Said, Source, change_since
from user_service.users.models import User


def remember(before: Said, user: User, source: Source) -> None:
    """Record what differs between `before` and what the saved `user` says now, if anything."""
    change = change_since(before, user, source)
    if change is not None:
        change.save()
