"""Answers with a page: it loads nothing from elsewhere, runs nothing, and tells nobody else."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

# In the page itself: behind a link that is a secret, every further request is one too many.
_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # The address of the page is the key to it.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CONTENT_TYPE = "text/html; charset=utf-8"


def page(
    template: str, context: Mapping[str, Any], *, language: str, status: int = 200
) -> HttpResponse:
    """`template` extends pages/base.html and has `context`; `language` is the page's own."""
    text = render_to_string(
        template,
        # Our own file, with nothing of anybody's in it.
        {**context, "language": language, "style": mark_safe(_STYLE)},  # noqa: S308
    )
    return guarded(text.encode(), status=status, language=language)


def guarded(body: bytes, *, status: int, language: str = "") -> HttpResponse:
    """A page that was rendered already, with the headers that every page has."""
    headers = {**HEADERS, **({"Content-Language": language} if language else {})}
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)
