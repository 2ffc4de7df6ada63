"""Which of the languages that the pages speak a reader gets."""

import re
from collections.abc import Iterable, Iterator

DEFAULT = "en"
LANGUAGES = ("en", "de", "fr", "es", "pt")
"""Each has a file in every catalogue of words; a type checker sees to that none lacks a word."""

_HEADER_LENGTH = 1_000
_RANGE = re.compile(
    r"\s*([a-z]{1,8}|\*)(?:-[a-z0-9]{1,8})*\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?",
    re.IGNORECASE,
)


def choose_language(known: Iterable[str], accept_language: str) -> str:
    """One of LANGUAGES: the first of `known` (BCP 47 tags) that is there, else the browser's.

    `accept_language` is the header as it came (RFC 9110, 12.5.4); nonsense in it is passed over.
    """
    for tag in (*known, *_preferred(accept_language[:_HEADER_LENGTH])):
        language = tag.lower().split("-")[0]
        if language in LANGUAGES:
            return language
    return DEFAULT


def _preferred(header: str) -> Iterator[str]:
    """The header's tags, the most wanted first; those of quality 0 are not wanted at all."""
    weighted: list[tuple[float, str]] = []
    for part in header.split(","):
        found = _RANGE.fullmatch(part)
        if found is not None and (quality := float(found[2] or 1)) > 0:
            weighted.append((quality, found[1]))
    # Stable: of equals the one that was named first.
    yield from (tag for _, tag in sorted(weighted, key=lambda pair: -pair[0]))
