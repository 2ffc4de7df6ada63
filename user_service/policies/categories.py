"""Categories of notifications: what they are called, who gets them, and how often."""

import re
from typing import Annotated

import msgspec
from django.conf import settings
from msgspec import Meta

from carillon.contracts.records import CategoryPolicy

CATEGORIES_MOST = 100
CATEGORY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
CATEGORY_RULE = "lower-case letters, digits, _ and -, 1 to 64 of them, the first no _ or -"


class FrequencyCap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `limit` notifications to one user within any `seconds`."""

    limit: Annotated[int, Meta(ge=1, le=1_000)]
    seconds: Annotated[int, Meta(ge=60, le=31 * 86_400)]


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """An organization's decision on a category, as it is stored."""

    name: str = ""
    description: str = ""
    essential: bool = False
    preferences: dict[str, bool] = {}
    frequency_cap: FrequencyCap | None = None

    def policy(self) -> CategoryPolicy:
        """What of it matters to a notification."""
        cap = self.frequency_cap
        return CategoryPolicy(
            essential=self.essential,
            preferences=self.preferences,
            cap_limit=cap.limit if cap else 0,
            cap_seconds=cap.seconds if cap else 0,
        )


def built_in() -> dict[str, Category]:
    """The categories that every organization has until it decides otherwise: the essential."""
    return {
        code: Category(name=code.replace("_", " ").title(), essential=True)
        for code in sorted(settings.ESSENTIAL_CATEGORIES)
    }
