"""Puts tracking into an email's HTML: links that lead over us, and a picture that nobody sees."""

import html
import re
from collections.abc import Callable
from functools import lru_cache
from html.parser import HTMLParser
from uuid import UUID

import msgspec
from django.conf import settings

from carillon.contracts.messages import Content, EmailContent
from carillon.unsubscribe_links import PATH as UNSUBSCRIBE_PATH
from gateway.tracking.tokens import TrackedLink, TrackingSigner, may_be_followed

OPEN_PATH = "/t/"
CLICK_PATH = "/l/"

# An attribute of a start tag, as HTML parsers see it: name, equals sign, value with its quotes.
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:(\s*=\s*)("[^"]*"|'[^']*'|[^\s>]+))?""")
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
# Somebody who asks for it is left alone: a link with this attribute is not rewritten.
UNTRACKED = "data-no-track"


def tracking_signer() -> TrackingSigner:
    """Signs with the secrets of the unsubscribe links, for a purpose of its own."""
    return _signer(settings.GATEWAY.link_secrets)


@lru_cache(maxsize=4)
def _signer(secrets: tuple[str, ...]) -> TrackingSigner:
    return TrackingSigner(secrets)


def tracked(content: Content, notification: UUID, *, opens: bool, clicks: bool) -> Content:
    """The content with what its template asks for; what is no email with HTML stays as it is."""
    if not isinstance(content, EmailContent) or not content.html or not (opens or clicks):
        return content
    page = content.html
    if clicks:
        page = _with_links(page, lambda target: _click_url(notification, target))
    if opens:
        page = _with_picture(page, _open_url(notification))
    return msgspec.structs.replace(content, html=page)


def _open_url(notification: UUID) -> str:
    token = tracking_signer().token(TrackedLink(notification))
    return f"{settings.GATEWAY.public_url}{OPEN_PATH}{token}.gif"


def _click_url(notification: UUID, target: str) -> str | None:
    """None for a link that stays as it is: the way out is nobody's business."""
    ours = f"{settings.GATEWAY.public_url}{UNSUBSCRIBE_PATH}"
    if not may_be_followed(target) or target.startswith(ours):
        return None
    token = tracking_signer().token(TrackedLink(notification, target))
    return f"{settings.GATEWAY.public_url}{CLICK_PATH}{token}/"


def _with_picture(page: str, url: str) -> str:
    picture = f'<img src="{html.escape(url)}" width="1" height="1" alt="" style="border:0">'
    ends = list(_BODY_END.finditer(page))
    at = ends[-1].start() if ends else len(page)
    return f"{page[:at]}{picture}{page[at:]}"


def _with_links(page: str, follow: Callable[[str], str | None]) -> str:
    finder = _LinkFinder()
    finder.feed(page)
    finder.close()
    lines = [0, *(found.end() for found in re.finditer("\n", page))]
    parts, done = [], 0
    for (line_number, column), tag in finder.links:
        start = lines[line_number - 1] + column
        if page[start : start + len(tag)] != tag:
            # Counted otherwise than the parser does: better an untracked link than a broken one.
            continue
        parts += [page[done:start], _with_href(tag, follow)]
        done = start + len(tag)
    return "".join((*parts, page[done:]))


def _with_href(tag: str, follow: Callable[[str], str | None]) -> str:
    """The start tag with its first `href` replaced, where it is to be."""
    for found in _ATTRIBUTE.finditer(tag, 2):
        if found[1].lower() != "href":
            continue
        if not found[3]:
            return tag
        url = follow(html.unescape(found[3].strip("\"'")).strip())
        if url is None:
            return tag
        return f'{tag[: found.start(3)]}"{html.escape(url)}"{tag[found.end(3) :]}'
    return tag


class _LinkFinder(HTMLParser):
    """Where the start tags of links are; what is in comments and scripts is none."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[tuple[int, int], str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        text = self.get_starttag_text()
        if tag in {"a", "area"} and "href" in names and UNTRACKED not in names and text:
            self.links.append((self.getpos(), text))
