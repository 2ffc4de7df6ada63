"""The parts of a mail: a text, a file, or several parts as one (RFC 2045, 2046, 2183, 2231, 2392).

An entity here is its headers, an empty line and its body, without the line break that follows it.
"""

import binascii
import os
import re
from urllib.parse import quote

from carillon.errors import PermanentFailure, Reason
from email_worker.attachments import File

_LINE = 76
# RFC 5322 allows 998 octets a line; some servers count the dot they stuff.
_LONGEST_LINE = 988
_NOT_SEVEN_BIT = re.compile(r"[^\t\n\r -~]")

_TEXT_PART = 'Content-Type: text/{}; charset="utf-8"\r\nContent-Transfer-Encoding: {}\r\n\r\n'


def multipart(subtype: str, *entities: bytes) -> bytes:
    """Several entities as one."""
    # Fresh randomness: a boundary that an author could foresee lets a variable add a part.
    boundary = f"=_{os.urandom(16).hex()}"
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n'.encode("ascii")
    between = f"\r\n--{boundary}\r\n".encode("ascii")
    end = f"\r\n--{boundary}--".encode("ascii")
    return b"".join((head, *(piece for entity in entities for piece in (between, entity)), end))


def file_entity(file: File) -> bytes:
    """A file, saved under its name, or shown where the HTML says `cid:`."""
    disposition = "inline" if file.content_id else "attachment"
    if file.filename.isascii():
        name = f'filename="{file.filename}"'
    else:
        octets = utf8("name of a file", file.filename)
        name = f"filename*=UTF-8''{quote(octets, safe='')}"
    headers = (
        f"Content-Type: {file.content_type}\r\n"
        f"Content-Disposition: {disposition};\r\n {name}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
    )
    if file.content_id:
        headers += f"Content-ID: <{file.content_id}>\r\n"
    return headers.encode("ascii") + b"\r\n" + _base64(file.data)


def text_entity(subtype: str, text: str) -> bytes:
    """Text, as it is where seven bits and short lines can carry it."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    seven_bit = text.isascii() and not _NOT_SEVEN_BIT.search(text) and _lines_fit(text)
    octets = utf8("body", text.replace("\n", "\r\n"))
    if seven_bit:
        return _TEXT_PART.format(subtype, "7bit").encode("ascii") + octets
    # Quoted-printable triples what is not ASCII; base64 adds a third to everything.
    if 6 * (len(octets) - len(text)) < len(octets):
        return _TEXT_PART.format(subtype, "quoted-printable").encode("ascii") + _quoted(octets)
    return _TEXT_PART.format(subtype, "base64").encode("ascii") + _base64(octets)


def _lines_fit(text: str) -> bool:
    return len(text) <= _LONGEST_LINE or max(map(len, text.split("\n"))) <= _LONGEST_LINE


def _quoted(octets: bytes) -> bytes:
    # b2a_qp breaks its lines as the first line of the text ends: make sure that is CRLF.
    return binascii.b2a_qp(octets + b"\r\n", istext=True)[:-2]


def _base64(octets: bytes) -> bytes:
    encoded = binascii.b2a_base64(octets, newline=False)
    return b"\r\n".join(encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE))


def utf8(what: str, text: str) -> bytes:
    """Raises PermanentFailure for text that is not Unicode; `what` says which."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise PermanentFailure(
            f"The {what} is not valid Unicode.", reason=Reason.INVALID_CONTENT
        ) from error
