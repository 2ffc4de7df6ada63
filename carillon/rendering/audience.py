"""For whom a message is written: the conventions of a language, and a place's clock."""

import functools
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, tzinfo

from babel import Locale, UnknownLocaleError

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose conventions dates and numbers follow, and on which clock times are told."""

    locale: Locale
    clock: tzinfo


def audience(language: str, timezone: str) -> Audience:
    """Of a BCP 47 tag and an IANA time zone. Never raises: what is not known is en, and UTC."""
    return Audience(_locale(language), find_clock(timezone) or UTC)


def conventions(written_in: str, preferred: str) -> str:
    """The tag whose conventions fit a text: the reader's own, if it is of the text's language.

    A reader of en-GB gets an English text with British dates; a reader of fr who has to make do
    with the English text gets English dates in it, not French ones.
    """
    same = written_in.lower().split("-")[0] == preferred.lower().split("-")[0]
    return preferred if same else written_in


def find_clock(name: str) -> tzinfo | None:
    """None where there is no such time zone. The database's own cache keeps what was read."""
    if not name:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        # Folders and files that are no zones raise the latter two.
        return None


@functools.lru_cache(maxsize=1_024)
def _locale(language: str) -> Locale:
    """The closest that CLDR knows: en-XX is en. Its data is read here, not within a render."""
    subtags = language.split("-")
    while subtags and subtags[0]:
        try:
            locale = Locale.parse("-".join(subtags), sep="-")
        except (UnknownLocaleError, ValueError):
            subtags.pop()
        else:
            _ = locale.date_formats
            return locale
    return Locale.parse(DEFAULT_LANGUAGE)
