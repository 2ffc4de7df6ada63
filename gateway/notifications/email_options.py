"""What a request may add to an email, wherever its text comes from: answers, headers, files."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from carillon.contracts.email import (
    ATTACHED_BYTES,
    ATTACHMENTS_BYTES,
    CONTENT_ID,
    CONTENT_TYPE,
    FILENAME_LENGTH,
    HEADER_LENGTH,
    MOST_ATTACHMENTS,
    MOST_HEADERS,
    is_allowed_header,
    is_filename,
    is_header_value,
)
from carillon.contracts.messages import Attachment, EmailContent
from carillon.web.addresses import InvalidAddress, normalize_email

URL_LENGTH = 2_000

Problem = tuple[str, str]


class AttachmentBody(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A file: its octets, or where to fetch them when the mail is sent."""

    filename: Annotated[str, Meta(min_length=1, max_length=FILENAME_LENGTH, examples=["plan.pdf"])]
    content_type: Annotated[
        str, Meta(max_length=127, description="Its media type; of a URL, what the server says.")
    ] = ""
    data: Annotated[
        bytes, Meta(description=f"Base64; {ATTACHED_BYTES:,} bytes for all files, decoded.")
    ] = b""
    url: Annotated[
        str,
        Meta(
            max_length=URL_LENGTH,
            description="An https address that anybody may ask, fetched at each attempt.",
        ),
    ] = ""
    content_id: Annotated[
        str,
        Meta(max_length=64, description="Of an image that the HTML shows as `cid:<content_id>`."),
    ] = ""


class EmailOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Beyond subject and text."""

    reply_to: Annotated[str, Meta(max_length=320, description="Where answers go.")] = ""
    headers: Annotated[
        dict[str, str],
        Meta(
            max_length=MOST_HEADERS,
            description="X-… and Feedback-ID, Importance, In-Reply-To, List-ID, Organization, "
            f"References: printable ASCII, at most {HEADER_LENGTH} characters.",
        ),
    ] = {}
    attachments: Annotated[
        list[AttachmentBody],
        Meta(
            max_length=MOST_ATTACHMENTS,
            description=f"At most {ATTACHMENTS_BYTES // 1024**2} MB together, fetched ones too.",
        ),
    ] = []

    def added_to(self, content: EmailContent) -> EmailContent:
        """The content with all of it; the options have no problems."""
        return msgspec.structs.replace(
            content,
            reply_to=normalize_email(self.reply_to) if self.reply_to else "",
            headers=self.headers,
            attachments=tuple(
                Attachment(
                    filename=each.filename,
                    content_type=each.content_type,
                    data=each.data,
                    url=each.url,
                    content_id=each.content_id,
                )
                for each in self.attachments
            ),
        )


def kept_from(former: EmailContent, content: EmailContent) -> EmailContent:
    """New words with all that does not belong to the words."""
    return msgspec.structs.replace(
        content,
        unsubscribe_url=former.unsubscribe_url,
        reply_to=former.reply_to,
        headers=former.headers,
        attachments=former.attachments,
    )


def problems_of(options: EmailOptions, channel: str) -> Iterator[Problem]:
    """Each field with what is wrong with it."""
    if channel != "email":
        yield "email", "Only an email has these options."
        return
    if options.reply_to:
        yield from _reply_to_problems(options.reply_to)
    lower = [name.lower() for name in options.headers]
    for name, value in options.headers.items():
        if not is_allowed_header(name):
            yield f"email.headers.{name[:64]}", "This header cannot be set."
        elif lower.count(name.lower()) > 1:
            yield f"email.headers.{name[:64]}", "This header is there twice."
        elif not is_header_value(value):
            yield f"email.headers.{name[:64]}", f"Expected 1 to {HEADER_LENGTH} printable ASCII."
    if sum(len(each.data) for each in options.attachments) > ATTACHED_BYTES:
        most = f"{ATTACHED_BYTES:,} bytes"
        yield "email.attachments", f"Expected at most {most}; send the address of larger files."
    for index, attachment in enumerate(options.attachments):
        for field, problem in _attachment_problems(attachment):
            yield f"email.attachments.{index}.{field}", problem


def _reply_to_problems(address: str) -> Iterator[Problem]:
    try:
        normalized = normalize_email(address)
    except InvalidAddress as error:
        yield "email.reply_to", str(error)
        return
    if not normalized.isascii():
        yield "email.reply_to", "Expected an address in ASCII."


def _attachment_problems(attachment: AttachmentBody) -> Iterator[Problem]:
    if not is_filename(attachment.filename):
        yield "filename", "Expected a name without a path."
    if bool(attachment.data) == bool(attachment.url):
        yield "data", "Send either data or url."
    if attachment.url and not _is_public_looking(attachment.url):
        yield "url", "Expected an https address without credentials."
    if attachment.content_type and not CONTENT_TYPE.fullmatch(attachment.content_type):
        yield "content_type", "Expected a media type such as application/pdf."
    if attachment.content_id and not CONTENT_ID.fullmatch(attachment.content_id):
        yield "content_id", "Expected up to 64 letters, digits, '.', '_' and '-'."


def _is_public_looking(url: str) -> bool:
    """What it leads to is checked when it is fetched: names change what they lead to."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "https"
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and url.isascii()
            and url.isprintable()
            and " " not in url
            and (parts.port is None or 0 < parts.port < 65_536)
        )
    except ValueError:
        return False
