"""Language tags and time zones: their accepted forms."""

import functools
import re
import zoneinfo

# RFC 5646 section 2.1 without its irregular tags and its 4 to 8 letter languages, of which none
# was ever registered: that makes "english" an error.
_LANGUAGE = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3})"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|\d{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?)",
    re.IGNORECASE | re.ASCII,
)
LANGUAGE_LENGTH = 35


class InvalidLocale(ValueError):
    """Not a language tag or a time zone; the text says why and is meant for the client."""


def normalize_language(text: str) -> str:
    """A BCP 47 tag in its usual case: `pt-BR`, `zh-Hant-TW`. Raises InvalidLocale."""
    found = _LANGUAGE.fullmatch(text) if len(text) <= LANGUAGE_LENGTH else None
    if found is None:
        hint = " Separate its parts with hyphens." if "_" in text else ""
        raise InvalidLocale(f"Expected a BCP 47 language tag such as en, pt-BR or zh-Hant.{hint}")
    tag = found["language"].lower()
    if found["script"]:
        tag += f"-{found['script'].title()}"
    if found["region"]:
        tag += f"-{found['region'].upper()}"
    return tag + found["rest"].lower()


def check_timezone(text: str) -> str:
    """An IANA time zone of this machine's database, as it was given. Raises InvalidLocale."""
    if text not in _timezones():
        raise InvalidLocale(
            "Expected an IANA time zone such as Europe/London, Africa/Lagos or UTC."
        )
    return text


@functools.cache
def _timezones() -> frozenset[str]:
    """All of them; reading the folders takes tens of milliseconds, so once per process."""
    return frozenset(zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"})
