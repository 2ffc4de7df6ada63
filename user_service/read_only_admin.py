"""Admin pages that change nothing."""

from typing import Any

from django.http import HttpRequest


class ReadOnlyAdmin:
    """Neither additions nor changes; deletions as the page itself allows them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
