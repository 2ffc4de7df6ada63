"""What admin pages show in words."""

from collections.abc import Iterable, Mapping

from django.utils.html import format_html_join
from django.utils.safestring import SafeString


def on_and_off(choices: Mapping[str, bool]) -> str:
    """`email on, sms off`."""
    return ", ".join(f"{channel} {'on' if on else 'off'}" for channel, on in choices.items())


def lines(named: Iterable[tuple[str, str]]) -> SafeString:
    """A line for each: its name and what there is to say."""
    return format_html_join("", "<div><strong>{}</strong>: {}</div>", named)
