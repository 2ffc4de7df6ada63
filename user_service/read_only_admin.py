"""Admin pages that change nothing, and what they show in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString


class ReadOnlyAdmin:
    """Neither additions nor changes; deletions as the page itself allows them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


def on_and_off(choices: Mapping[str, bool]) -> str:
    """`email on, sms off`."""
    return ", ".join(f"{channel} {'on' if on else 'off'}" for channel, on in choices.items())


def lines(named: Iterable[tuple[str, str]]) -> SafeString:
    """A line for each: its name and what there is to say."""
    return format_html_join("", "<div><strong>{}</strong>: {}</div>", named)
