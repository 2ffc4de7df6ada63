"""What a client may add to an email, whatever its text: the bounds that both ends keep."""

import re
from typing import Final

# Octets of all files of a mail together, before they are encoded; what most servers take is 25 MB
# after it. What comes along in the request is stored and queued, so it may be far less.
ATTACHMENTS_BYTES: Final = 10 * 1024 * 1024
ATTACHED_BYTES: Final = 512 * 1024
MOST_ATTACHMENTS: Final = 10
FILENAME_LENGTH: Final = 150
MOST_HEADERS: Final = 20
HEADER_LENGTH: Final = 500

# RFC 6838, 4.2; messages and multiparts are not files.
CONTENT_TYPE: Final = re.compile(
    r"(?!message/|multipart/)[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}",
    re.IGNORECASE,
)
CONTENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

# Those that change nothing of who sends, to whom, and how it is read; the X-names that mean
# something to us or to providers are ours.
_ALLOWED: Final = frozenset(
    {"feedback-id", "importance", "in-reply-to", "list-id", "organization", "references"}
)
_OURS: Final = ("x-notification-", "x-correlation-", "x-ses-", "x-smtpapi", "x-sg-", "x-priority-")
_X_NAME: Final = re.compile(r"x-[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?")
_VALUE: Final = re.compile(r"[ -~]*[!-~][ -~]*")


def is_allowed_header(name: str) -> bool:
    """Whether a client may set it."""
    lower = name.lower()
    if lower in _ALLOWED:
        return True
    return _X_NAME.fullmatch(lower) is not None and not lower.startswith(_OURS)


def is_header_value(text: str) -> bool:
    """Printable ASCII on one line, not blank, and not too long."""
    return len(text) <= HEADER_LENGTH and _VALUE.fullmatch(text) is not None


def is_filename(text: str) -> bool:
    """A name without a path that can be printed."""
    return (
        0 < len(text) <= FILENAME_LENGTH
        and text.isprintable()
        # Each octet may become three, and a line of a mail has at most 998.
        and len(text.encode()) <= 2 * FILENAME_LENGTH
        and text.strip(" .") != ""
        and not set(text) & set('/\\"')
    )
