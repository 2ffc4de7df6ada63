"""The files of an email: those that came with the job, and those that are fetched for it.

An address to fetch from was chosen by a client. It is asked over HTTPS alone, never inside our own
network (requests-hardened checks the very address that it connects to), without redirects, and
within bounds of size and time.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlsplit

import msgspec
import requests
from requests_hardened import Config, HTTPSession, ip_filter
from urllib3.exceptions import HTTPError

from carillon.contracts.email import (
    ATTACHMENTS_BYTES,
    CONTENT_ID,
    CONTENT_TYPE,
    MOST_ATTACHMENTS,
    is_filename,
)
from carillon.contracts.messages import Attachment, EmailContent
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from email_worker.inside import INSIDE

CONNECT_SECONDS = 3.0
SECONDS = 10.0
PIECE = 64 * 1024
UNKNOWN_TYPE = "application/octet-stream"

# It names the hosts that it refuses, and a host may be a secret of somebody's.
logging.getLogger("requests_hardened").setLevel(logging.ERROR)
# requests-hardened knows some of them itself.
ip_filter.EXTRA_BLOCKED_NET_RANGES = (*ip_filter.EXTRA_BLOCKED_NET_RANGES, *INSIDE)


class File(msgspec.Struct, frozen=True):
    """A file ready to be sent; one with a `content_id` is shown within the HTML."""

    filename: str
    content_type: str
    data: bytes
    content_id: str = ""


class Fetcher:
    """Fetches files; for any thread."""

    def __init__(self, *, allow_loopback: bool = False) -> None:
        """`allow_loopback`, for tests, also allows plain HTTP there."""
        self._schemes = {"https", "http"} if allow_loopback else {"https"}
        self._session = HTTPSession(
            Config(
                ip_filter_enable=True,
                ip_filter_allow_loopback_ips=allow_loopback,
                never_redirect=True,
                default_timeout=(CONNECT_SECONDS, SECONDS),
                user_agent_override="Carillon",
            )
        )
        # The environment's proxies could reach what we must not.
        self._session.trust_env = False

    def fetch(self, url: str, most: int) -> tuple[bytes, str]:
        """The octets, at most so many, and their type if it was told.

        Raises PermanentFailure or TemporaryFailure; neither says anything of the mail's provider.
        """
        if urlsplit(url).scheme not in self._schemes:
            raise _refused("An attachment's address is not https.")
        deadline = time.monotonic() + SECONDS
        with _telling_failures():
            response = self._session.get(url, stream=True, headers={"Accept-Encoding": "identity"})
            with response:
                _judge(response.status_code)
                data = b"".join(_pieces(response, most, deadline))
        return data, response.headers.get("Content-Type", "").partition(";")[0].strip()


@cache
def fetcher() -> Fetcher:
    """One for all providers of a process."""
    return Fetcher()


def files_of(content: EmailContent, fetching: Fetcher | None = None) -> tuple[File, ...]:
    """What goes with the mail, fetched where it has to be.

    Raises PermanentFailure (invalid_content, payload_too_large) or TemporaryFailure.
    """
    if not content.attachments:
        return ()
    if len(content.attachments) > MOST_ATTACHMENTS:
        raise _refused(f"A mail has at most {MOST_ATTACHMENTS} attachments.")
    left = ATTACHMENTS_BYTES
    files = []
    for attachment in content.attachments:
        file = _file(attachment, left, fetching)
        left -= len(file.data)
        if left < 0:
            raise _too_large()
        files.append(file)
    return tuple(files)


def _file(attachment: Attachment, most: int, fetching: Fetcher | None) -> File:
    data, told = attachment.data, ""
    if attachment.url:
        data, told = (fetching or fetcher()).fetch(attachment.url, most)
    content_type = attachment.content_type or told
    if not CONTENT_TYPE.fullmatch(content_type):
        if attachment.content_type:
            raise _refused("An attachment's type is malformed.")
        content_type = UNKNOWN_TYPE
    if not is_filename(attachment.filename):
        raise _refused("An attachment's name cannot be used.")
    if attachment.content_id and not CONTENT_ID.fullmatch(attachment.content_id):
        raise _refused("An attachment's content id is malformed.")
    return File(attachment.filename, content_type, data, attachment.content_id)


def _judge(status: int) -> None:
    if status == 200:
        return
    if status in {408, 425, 429} or status >= 500:
        raise _later("The attachment's server cannot give it now.", str(status))
    raise _refused("The attachment is not where its address leads.", str(status))


def _pieces(response: requests.Response, most: int, deadline: float) -> Iterator[bytes]:
    got = 0
    for piece in response.iter_content(PIECE):
        got += len(piece)
        if got > most:
            raise _too_large()
        if time.monotonic() > deadline:
            raise _later("The attachment takes too long to fetch.")
        yield piece


@contextmanager
def _telling_failures() -> Iterator[None]:
    try:
        yield
    except ip_filter.InvalidIPAddress:
        raise _refused(
            "The attachment's address leads into a network that is not public."
        ) from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError):
        raise _refused("The attachment's address is malformed.") from None
    except (requests.RequestException, HTTPError, OSError):
        raise _later("The attachment could not be fetched.") from None


def _refused(message: str, code: str = "") -> PermanentFailure:
    return PermanentFailure(message, reason=Reason.INVALID_CONTENT, code=code)


def _too_large() -> PermanentFailure:
    return PermanentFailure(
        f"The attachments have more than {ATTACHMENTS_BYTES} bytes.",
        reason=Reason.PAYLOAD_TOO_LARGE,
    )


def _later(message: str, code: str = "") -> TemporaryFailure:
    return TemporaryFailure(message, reason=Reason.OTHER, code=code)
