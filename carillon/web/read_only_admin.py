"""Admin pages that are there to look at."""

from typing import Any

from django.http import HttpRequest


class UneditedAdmin:
    """Neither additions nor changes; deletions as the page itself allows them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class ReadOnlyAdmin(UneditedAdmin):
    """No deletions either."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
