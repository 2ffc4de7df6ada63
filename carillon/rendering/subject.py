"""Subjects are one line: what could add a header to a message is refused."""

import re
from email.errors import HeaderParseError
from email.header import decode_header

from carillon.rendering.errors import InvalidSubject

# What str.splitlines and mail programs take for the end of a line, and all other controls.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?=")


def check_subject(subject: str, *, field: str = "subject") -> None:
    """Raises InvalidSubject for a line break or another control character.

    Encoded words (RFC 2047) are looked into: Python's own EmailMessage decodes them, and writes
    the line break that it finds there into the message.
    """
    if _CONTROL.search(subject):
        raise InvalidSubject("A subject may not have line breaks.", field=field)
    if "=?" not in subject:
        return
    for word in _ENCODED_WORD.findall(subject):
        if _CONTROL.search(_decoded(word)):
            raise InvalidSubject("A subject may not have encoded line breaks.", field=field)


def _decoded(word: str) -> str:
    try:
        ((content, _charset),) = decode_header(word)
    except (HeaderParseError, ValueError):
        # Not decodable is not readable for a mail program either.
        return ""
    # Line breaks are the same bytes in every charset that mail uses.
    return content if isinstance(content, str) else content.decode("latin-1")
