"""What a user said before and after a change, and the differences worth remembering."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from carillon.observability.correlation import current_correlation_id
from user_service.users.models import PreferenceChange, User


class Source(StrEnum):
    """Where a change came from."""

    API = "api"
    IMPORT = "import"
    UNSUBSCRIBE_LINK = "unsubscribe_link"


@dataclass(frozen=True, slots=True)
class Said:
    """A user's preferences at one moment."""

    choices: dict[str, Any]

    @classmethod
    def by(cls, user: User) -> "Said":
        """Of a user, as the object has them now."""
        return cls(dict(_choices(user)))


def change_since(before: Said, user: User, source: Source) -> PreferenceChange | None:
    """An unsaved change from `before` to what `user` says now; None where nothing differs."""
    now = Said.by(user).choices
    fields = sorted({*before.choices, *now})
    changes = [
        {"field": field, "before": before.choices.get(field), "after": now.get(field)}
        for field in fields
        if before.choices.get(field) != now.get(field)
    ]
    if not changes:
        return None
    return PreferenceChange(
        user=user, source=source, correlation_id=current_correlation_id(), changes=changes
    )


def _choices(user: User) -> Iterator[tuple[str, Any]]:
    for channel, choice in user.preferences.items():
        yield f"preferences.{channel}", choice
    for category, choices in user.categories.items():
        for channel, choice in choices.items():
            yield f"categories.{category}.{channel}", choice
    for weekday, windows in user.quiet_hours.items():
        yield f"quiet_hours.{weekday}", windows
